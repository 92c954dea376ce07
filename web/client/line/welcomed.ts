/** Starting the line and waiting for the first welcome. */
import type { ClosedCode, Visit } from '../api';
import { VisitError } from '../errors';

/**
 * Settles with the first welcome, the first refusal, or when the caller gives up, which drops the line.
 * Who gave up before does not start it.
 */
export function welcomed(
  visit: Visit,
  start: () => void,
  signals: readonly AbortSignal[],
): Promise<void> {
  const done = new AbortController();
  return new Promise<void>((resolve, reject) => {
    const early = signals.find(({ aborted }) => aborted);
    if (early) {
      reject(reasonOf(early));
      return;
    }
    const off = visit.on('connectionStateChanged', (state) => {
      if (state === 'connected') resolve();
      if (state === 'closed' && visit.closed) reject(refusal(visit.closed.code));
      if (state === 'idle') reject(new VisitError('aborted', 'disconnected'));
    });
    done.signal.addEventListener('abort', off);
    for (const signal of signals) {
      const giveUp = (): void => {
        visit.disconnect();
        reject(reasonOf(signal));
      };
      signal.addEventListener('abort', giveUp, { signal: done.signal });
    }
    start();
  }).finally(() => done.abort());
}

/** Our own word where we closed the visit ourselves. */
function reasonOf({ reason }: AbortSignal): VisitError {
  return reason instanceof VisitError
    ? reason
    : new VisitError('aborted', 'connect was given up', { cause: reason });
}

function refusal(code: ClosedCode): VisitError {
  switch (code) {
    case 'seat_in_use':
    case 'no_session':
    case 'removed':
      return new VisitError(code, 'the server refused the connection');
    case 'over':
      return new VisitError('visit_over', 'the server refused the connection');
    case 'taken_over':
      return new VisitError('seat_in_use', 'opened elsewhere');
    case 'outdated':
      return new VisitError('bad_message', 'this page is older than the server');
  }
}
