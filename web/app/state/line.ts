/** How the connection is, as a person should know it. */
import type { LinkState, VisitState } from '../../client/index';

/** `weak`: the server is away but the picture goes on; `lost`: nothing comes. */
export type Line = 'good' | 'weak' | 'lost';

export function lineOf(state: VisitState, link: LinkState, inVisit: boolean): Line {
  if (state === 'idle' || state === 'closed') return 'good';
  const media = !inVisit || link.media === 'up';
  if (state === 'reconnecting') return inVisit && media ? 'weak' : 'lost';
  if (link.media === 'interrupted' && inVisit) return 'lost';
  return 'good';
}
