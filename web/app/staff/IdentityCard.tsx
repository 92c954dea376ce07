import { useEffect, useRef } from 'preact/hooks';
import type { Row } from '../../client/index';
import { Button } from '../ui/Button';
import { Notice } from '../ui/Notice';
import { names, roleName } from '../words/people';
import { staffWords } from '../words/staff';
import { age, birthDate, clockTime } from '../words/time';
import { rowKey } from './desk';
import type { Office } from './office';
import { Badges } from './RowParts';

interface Props {
  row: Row;
  office: Office;
}

/** Two identifiers before anybody is let in, in the place of the row. */
export function IdentityCard({ row, office }: Props) {
  const { desk, tasks } = office;
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    box.current?.querySelector<HTMLElement>('[data-focus]')?.focus();
    box.current?.scrollIntoView({ block: 'nearest' });
  }, []);
  const held = desk.holdsFirst(row);
  const note = tasks.notes.value.get(rowKey(row.seat));
  return (
    <section ref={box} class="identity" aria-label={staffWords.identity}>
      <h3>{staffWords.identity}</h3>
      <Who row={row} now={office.clock.value} />
      <Details row={row} office={office} />
      <Badges row={row} />
      <p class="note quiet">{staffWords.ask}</p>
      {held !== undefined && <Notice kind="warning">{staffWords.holdsFirst(held)}</Notice>}
      {note !== undefined && (
        <Notice kind="danger" role="alert">
          {note}
        </Notice>
      )}
      <div class="identity-actions">
        <Button
          kind="primary"
          wide
          focus
          test="confirm-admit"
          busy={tasks.busy.value.has(rowKey(row.seat))}
          onPress={() => void desk.confirm(row)}
        >
          {held === undefined ? staffWords.confirm : staffWords.holdAndAdmit(held, row.name)}
        </Button>
        <Button wide onPress={desk.close}>
          {staffWords.notThis}
        </Button>
      </div>
    </section>
  );
}

function Who({ row, now }: { row: Row; now: number }) {
  return (
    <div class="identity-who">
      <p class="identity-name" dir="auto">
        {row.name}
      </p>
      {row.role !== 'patient' && <p class="identity-born">{roleName[row.role]}</p>}
      {row.birthDate !== undefined && (
        <p class="identity-born">
          {staffWords.born} {birthDate(row.birthDate)}{' '}
          <span class="identity-age">{staffWords.age(age(row.birthDate, now))}</span>
        </p>
      )}
      {row.birthDate === undefined && row.role === 'patient' && (
        <p class="quiet">{staffWords.noBirthDate}</p>
      )}
    </div>
  );
}

function Details({ row, office }: Props) {
  const also = office.desk.alsoWaiting(row);
  const facts: readonly (readonly [string, string | undefined])[] = [
    [staffWords.reason, row.reason],
    [staffWords.planned, row.scheduledAt > 0 ? clockTime(row.scheduledAt) : undefined],
    [roleName.patient, row.patientName],
    [
      staffWords.alsoWaiting,
      names(also.map((one) => `${one.name} (${roleName[one.role].toLowerCase()})`)) || undefined,
    ],
  ];
  return (
    <dl class="identity-facts">
      {facts.map(
        ([label, value]) =>
          value !== undefined && (
            <div key={label}>
              <dt>{label}</dt>
              <dd dir="auto">{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
