/** What people who wait or are on hold write to the clinic: one conversation for each of them, and what is unread. */
import { computed, effect, signal, type ReadonlySignal } from '@preact/signals';
import type { Message, Row } from '../../client/index';
import { createConversation, type Conversation } from '../state/chat';
import type { Live } from '../state/live';

/** Somebody who waits or is on hold. */
export type Correspondent = Pick<Row, 'visit' | 'seat' | 'name'>;

export interface Threads {
  /** the seat whose conversation is open */
  readonly open: ReadonlySignal<string | undefined>;
  toggle: (who: Correspondent) => void;
  unread: (who: Correspondent) => number;
  of: (who: Correspondent) => Conversation;
}

export function createThreads(line: Live): Threads {
  const open = signal<string | undefined>(undefined);
  /** by seat, the number of the last message that was seen */
  const seen = signal<ReadonlyMap<string, number>>(new Map());
  const known = new Map<string, Conversation>();
  const heard = line.read(({ messages }) =>
    messages.filter(({ mine, thread }) => !mine && thread !== ''),
  );
  const heardFrom = (seat: string): readonly Message[] =>
    heard.value.filter(({ thread }) => thread === seat);

  effect(() => {
    const seat = open.value;
    if (seat === undefined) return;
    const last = Math.max(0, ...heardFrom(seat).map(({ n }) => n));
    if (last !== (seen.peek().get(seat) ?? 0)) seen.value = new Map([...seen.peek(), [seat, last]]);
  });
  const counts = computed(() => {
    const unread = new Map<string, number>();
    for (const { thread, n } of heard.value) {
      if (n > (seen.value.get(thread) ?? 0)) unread.set(thread, (unread.get(thread) ?? 0) + 1);
    }
    return unread;
  });

  return {
    open,
    toggle({ seat }) {
      open.value = open.value === seat ? undefined : seat;
    },
    unread: ({ seat }) => counts.value.get(seat) ?? 0,
    of({ visit, seat }) {
      const talk = known.get(seat) ?? createConversation(line, () => ({ visit, thread: seat }));
      known.set(seat, talk);
      return talk;
    },
  };
}
