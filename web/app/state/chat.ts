/** The messages of one conversation and what is being sent. */
import { computed, signal, type ReadonlySignal } from '@preact/signals';
import { MaxChatRunes, type Message } from '../../client/index';
import type { Live } from './live';

export interface Line {
  key: string;
  mine: boolean;
  name: string;
  role: Message['role'] | undefined;
  at: number | undefined;
  text: string;
  pending: boolean;
}

export interface Conversation {
  readonly lines: ReadonlySignal<readonly Line[]>;
  readonly draft: ReadonlySignal<string>;
  readonly failed: ReadonlySignal<boolean>;
  write: (text: string) => void;
  send: () => void;
}

/** Where a staff member writes to; a seat writes where the server knows it to be. */
export interface To {
  visit: string;
  thread?: string | undefined;
}

/** `to` undefined with `staff` false: the person's own place. */
export function createConversation({ visit, read }: Live, to: () => To | undefined): Conversation {
  const draft = signal('');
  const failed = signal(false);
  const belongs = (message: { visit: string; thread: string }): boolean => {
    const place = to();
    return (
      place === undefined ||
      (message.visit === place.visit && message.thread === (place.thread ?? ''))
    );
  };
  const said = read((now) => now.messages.filter(belongs).map(lineOf));
  const sending = read((now) =>
    now.chat.pending
      .filter((message) => belongs({ visit: message.visit ?? '', thread: message.thread ?? '' }))
      .map(({ id, text }): Line => ({
        key: `pending ${id}`,
        mine: true,
        name: '',
        role: undefined,
        at: undefined,
        text,
        pending: true,
      })),
  );
  return {
    lines: computed(() => [...said.value, ...sending.value]),
    draft,
    failed,
    write(text) {
      draft.value = Array.from(text).slice(0, MaxChatRunes).join('');
    },
    send() {
      const text = draft.value.trim();
      if (text === '') return;
      draft.value = '';
      failed.value = false;
      const place = to();
      const target = place && {
        visit: place.visit,
        ...(place.thread === undefined ? {} : { thread: place.thread }),
      };
      visit.chat.send(text, target).catch(() => {
        failed.value = true;
        if (draft.value === '') draft.value = text;
      });
    },
  };
}

function lineOf(message: Message): Line {
  const { mine, name, role, at, text } = message;
  return { key: `${message.visit} ${message.n}`, mine, name, role, at, text, pending: false };
}
