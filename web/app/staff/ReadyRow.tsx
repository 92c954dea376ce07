import { useEffect, useRef } from 'preact/hooks';
import type { Row } from '../../client/index';
import { Button } from '../ui/Button';
import { minutesSince } from '../words/time';
import { staffWords } from '../words/staff';
import { rowKey } from './desk';
import { IdentityCard } from './IdentityCard';
import { MoveMenu } from './MoveMenu';
import type { Office } from './office';
import { Badges, Facts, RowHead } from './RowParts';
import { Thread, WriteButton } from './Thread';

interface Props {
  row: Row;
  office: Office;
}

/** One waiting person; their identity card opens in its place. */
export function ReadyRow({ row, office }: Props) {
  const { desk, clock, threads } = office;
  const open = desk.card.value === row.seat;
  const element = useRef<HTMLLIElement>(null);
  const wasOpen = useRef(false);
  useEffect(() => {
    if (wasOpen.current && !open) {
      element.current?.querySelector<HTMLElement>('[data-testid=admit]')?.focus();
    }
    wasOpen.current = open;
  }, [open]);
  const wait = staffWords.waits(minutesSince(row.waitingSince, clock.value));
  return (
    <li
      ref={element}
      class={`person ${open ? 'open' : ''}`}
      data-testid="row"
      data-seat={row.seat}
      data-state={row.state}
    >
      {open ? (
        <IdentityCard row={row} office={office} />
      ) : (
        <>
          <RowHead row={row} aside={row.state === 'waiting' ? wait : ''} />
          <Facts row={row} />
          <Badges row={row} />
          <RowFoot row={row} office={office} />
        </>
      )}
      <Thread who={row} threads={threads} />
    </li>
  );
}

/** What can be done with a waiting person, or why nothing can be. */
function RowFoot({ row, office }: Props) {
  const { desk, tasks } = office;
  const key = rowKey(row.seat);
  const note = tasks.notes.value.get(key);
  return (
    <>
      {note !== undefined && (
        <p class="row-note" role="status">
          {note}
        </p>
      )}
      <div class="person-actions">
        {row.moving === true ? (
          <p class="quiet" role="status">
            {staffWords.moving}
          </p>
        ) : row.state === 'waiting' ? (
          <>
            <MoveMenu row={row} desk={desk} />
            <WriteButton who={row} threads={office.threads} />
            <Button
              size="small"
              kind={desk.next.value?.seat === row.seat ? 'primary' : undefined}
              test="admit"
              busy={tasks.busy.value.has(key)}
              onPress={() => {
                desk.open(row);
              }}
            >
              {staffWords.admit}
            </Button>
          </>
        ) : (
          <Button
            size="small"
            onPress={() => {
              desk.dismiss(row);
            }}
          >
            {staffWords.dismiss}
          </Button>
        )}
      </div>
    </>
  );
}
