import type { Row } from '../../client/index';
import { Badge } from '../ui/Badge';
import { Button } from '../ui/Button';
import { Icon } from '../ui/Icon';
import { dispositionName, staffWords } from '../words/staff';
import { clockTime } from '../words/time';
import { rowKey } from './desk';
import { Menu } from './Menu';
import { TransferButton } from './MoveMenu';
import type { Office } from './office';
import { Badges, RowHead } from './RowParts';
import { Thread, WriteButton } from './Thread';

interface Props {
  row: Row;
  office: Office;
}

function Note({ row, office }: Props) {
  const note = office.tasks.notes.value.get(rowKey(row.seat));
  if (note === undefined) return null;
  return (
    <p class="row-note" role="status">
      {note}
    </p>
  );
}

/** A visit that can be gone to: the own one on hold, or a colleague's. */
function GoTo({ row, office, label }: Props & { label: string }) {
  return (
    <div class="person-actions">
      {row.state === 'held' && <WriteButton who={row} threads={office.threads} />}
      <Button
        size="small"
        busy={office.tasks.busy.value.has(rowKey(row.seat))}
        onPress={() => void office.desk.goTo(row)}
      >
        {label}
      </Button>
    </div>
  );
}

export function YoursRow({ row, office }: Props) {
  const here = office.room.visit.value?.id === row.visit;
  const held = row.state === 'held';
  return (
    <li class={`person ${here ? 'here' : ''}`}>
      <RowHead row={row} aside="" />
      <p class="badges">
        <Badge kind={held ? 'warning' : 'success'} icon={held ? 'hold' : 'camera'}>
          {staffWords.seatStates[held ? 'held' : 'admitted']}
        </Badge>
      </p>
      <Note row={row} office={office} />
      {!here && (
        <>
          <GoTo row={row} office={office} label={staffWords.goBack} />
          <Thread who={row} threads={office.threads} />
        </>
      )}
    </li>
  );
}

export function ExpectedRow({ row, office }: Props) {
  const { desk } = office;
  return (
    <li class="person slim">
      <RowHead row={row} aside={row.scheduledAt > 0 ? clockTime(row.scheduledAt) : ''} />
      <p class="person-facts">
        {row.state === 'checking' ? staffWords.here : staffWords.notHere}
        {row.reason !== undefined && ` · ${row.reason}`}
      </p>
      <Badges row={row} />
      <Note row={row} office={office} />
      {row.role === 'patient' && (
        <Menu kind="more" label={staffWords.more(row.name)} face={<Icon name="more" />}>
          <Button kind="plain" wide onPress={() => void desk.noShow(row)}>
            {staffWords.noShow}
          </Button>
          <TransferButton row={row} desk={desk} />
          <Button
            kind="plain"
            wide
            onPress={() => {
              desk.ask({ kind: 'cancel', row });
            }}
          >
            {staffWords.cancelVisit}
          </Button>
        </Menu>
      )}
    </li>
  );
}

export function ColleaguesRow({ row, office }: Props) {
  return (
    <li class="person slim">
      <RowHead row={row} aside="" />
      <p class="person-facts" dir="auto">
        {staffWords.withThem(row.with)}
      </p>
      <Note row={row} office={office} />
      <GoTo row={row} office={office} label={staffWords.join} />
      <Thread who={row} threads={office.threads} />
    </li>
  );
}

export function DoneRow({ row }: { row: Row }) {
  return (
    <li class="person slim">
      <RowHead row={row} aside={row.endedAt > 0 ? clockTime(row.endedAt) : ''} />
      {row.disposition !== undefined && (
        <p class="person-facts">{dispositionName[row.disposition]}</p>
      )}
    </li>
  );
}
