/** Requests under way and what went wrong, each under the key of the place where it is shown. */
import { signal, type ReadonlySignal } from '@preact/signals';
import { VisitError } from '../../client/index';
import { refusal } from '../words/staff';

export interface Tasks {
  readonly busy: ReadonlySignal<ReadonlySet<string>>;
  readonly notes: ReadonlySignal<ReadonlyMap<string, string>>;
  /** Runs one piece of work a key at a time; true when it was done. */
  run(key: string, work: () => Promise<void>): Promise<boolean>;
  note(key: string, text: string): void;
  clear(key: string): void;
}

export function createTasks(): Tasks {
  const busy = signal<ReadonlySet<string>>(new Set());
  const notes = signal<ReadonlyMap<string, string>>(new Map());
  const note = (key: string, text: string | undefined) => {
    const next = new Map(notes.value);
    if (text === undefined) next.delete(key);
    else next.set(key, text);
    notes.value = next;
  };
  return {
    busy,
    notes,
    async run(key, work) {
      if (busy.value.has(key)) return false;
      busy.value = new Set([...busy.value, key]);
      note(key, undefined);
      try {
        await work();
        return true;
      } catch (error) {
        note(key, explain(error));
        return false;
      } finally {
        busy.value = new Set([...busy.value].filter((other) => other !== key));
      }
    },
    note,
    clear(key) {
      note(key, undefined);
    },
  };
}

function explain(error: unknown): string {
  return error instanceof VisitError
    ? refusal(error.code, error.by, error.after)
    : refusal('internal', undefined);
}
