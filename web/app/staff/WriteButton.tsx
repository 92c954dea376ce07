import type { Row } from '../../client/index';
import { Icon } from '../ui/Icon';
import { staffWords } from '../words/staff';
import type { Threads } from './threads';

/** Opens the conversation with a waiting person; says how much of it is unread. */
export function WriteButton({ row, threads }: { row: Row; threads: Threads }) {
  const unread = threads.unread(row);
  return (
    <button
      type="button"
      class={`tool ${unread > 0 ? 'unread' : ''}`}
      aria-label={staffWords.write(row.name)}
      title={staffWords.write(row.name)}
      aria-expanded={threads.open.value === row.seat}
      onClick={() => {
        threads.toggle(row);
      }}
    >
      <Icon name="chat" />
      {unread > 0 && <span role="status">{staffWords.unread(unread)}</span>}
    </button>
  );
}
