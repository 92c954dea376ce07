/** The server's time as a signal that moves once a second while somebody reads it. */
import { signal, type ReadonlySignal } from '@preact/signals';
import type { Visit } from '../../client/index';

export function clockOf(visit: Pick<Visit, 'now'>): ReadonlySignal<number> {
  let timer: ReturnType<typeof setInterval> | undefined;
  const clock = signal(visit.now(), {
    watched() {
      clock.value = visit.now();
      timer = setInterval(() => {
        clock.value = visit.now();
      }, 1000);
    },
    unwatched() {
      clearInterval(timer);
    },
  });
  return clock;
}
