/** The truth about the wait, in words. */
import type { View } from '../../client/index';
import { joinWords } from '../words/join';

export interface Wait {
  position: string;
  usual: string | undefined;
}

export function waitOf(view: Pick<View, 'queue' | 'me'>): Wait {
  const { queue, me } = view;
  if (me.role !== 'patient') return { position: joinWords.guestWaits, usual: undefined };
  if (!queue || queue.ahead === 0) return { position: joinWords.next, usual: undefined };
  const known = queue.waitMax > 0;
  return {
    position: joinWords.ahead(queue.ahead),
    usual: known ? joinWords.usual(queue.waitMin, queue.waitMax) : undefined,
  };
}
