/** Turns the library's 'something changed' into signals that components can read. */
import { computed, signal, type ReadonlySignal } from '@preact/signals';
import type { Visit } from '../../client/index';

export interface Live {
  readonly visit: Visit;
  /** The visit, for a component that draws it again after any change. */
  get: () => Visit;
  /** A signal of whatever `read` takes from the visit, fresh after any change. */
  read: <T>(read: (visit: Visit) => T) => ReadonlySignal<T>;
  /** Stops listening; the visit itself stays. */
  stop: () => void;
}

export function live(visit: Visit): Live {
  const version = signal(0);
  const stop = visit.subscribe(() => {
    version.value += 1;
  });
  return {
    visit,
    stop,
    get: () => (version.value, visit),
    read: (read) => computed(() => (version.value, read(visit))),
  };
}
