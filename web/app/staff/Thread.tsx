import { Chat } from '../chat/Chat';
import { Icon } from '../ui/Icon';
import { staffWords } from '../words/staff';
import type { Correspondent, Threads } from './threads';

interface Props {
  who: Correspondent;
  threads: Threads;
}

/** Opens the conversation with a person who waits or is on hold; says how much of it is unread. */
export function WriteButton({ who, threads }: Props) {
  const unread = threads.unread(who);
  // Begins with what the button shows: people who speak to their computer say that.
  const label =
    unread > 0
      ? `${staffWords.unread(unread)}: ${staffWords.write(who.name)}`
      : staffWords.write(who.name);
  return (
    <button
      type="button"
      class={`tool ${unread > 0 ? 'unread' : ''}`}
      aria-label={label}
      title={label}
      aria-expanded={threads.open.value === who.seat}
      onClick={() => {
        threads.toggle(who);
      }}
    >
      <Icon name="chat" />
      {unread > 0 && <span role="status">{staffWords.unread(unread)}</span>}
    </button>
  );
}

/** The conversation, while it is open. */
export function Thread({ who, threads }: Props) {
  if (threads.open.value !== who.seat) return null;
  return <Chat talk={threads.of(who)} label={staffWords.write(who.name)} tests={false} />;
}
