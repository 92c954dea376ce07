/** Why a link could not be opened. */
import { VisitError } from '../../client/index';
import { linkWords, type LinkProblem } from '../words/problems';

export function linkProblem(error: unknown): LinkProblem {
  const code = error instanceof VisitError ? error.code : 'internal';
  // The page was opened with neither a link nor an address of its own.
  if (code === 'no_session') return 'link_unknown';
  return code in linkWords ? (code as LinkProblem) : 'internal';
}
