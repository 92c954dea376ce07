import { staffWords } from '../words/staff';
import { ColleaguesRow, DoneRow, ExpectedRow, YoursRow } from './OtherRows';
import { DeskHead } from './DeskHead';
import type { Office } from './office';
import { ReadyList } from './ReadyList';
import { Fold, Section } from './Section';

/** Everybody of the waiting room; it never goes away. */
export function WaitingRoom({ office }: { office: Office }) {
  const { yours, expected, colleagues, done } = office.desk.groups.value;
  return (
    <aside class="desk" aria-label={staffWords.waitingRoom}>
      <DeskHead office={office} />
      <div class="desk-list">
        <ReadyList office={office} />
        {yours.length > 0 && (
          <Section title={staffWords.yours}>
            {yours.map((row) => (
              <YoursRow key={row.seat} row={row} office={office} />
            ))}
          </Section>
        )}
        {expected.length > 0 && (
          <Section title={staffWords.expected}>
            {expected.map((row) => (
              <ExpectedRow key={row.seat} row={row} office={office} />
            ))}
          </Section>
        )}
        {colleagues.length > 0 && (
          <Section title={staffWords.colleagues}>
            {colleagues.map((row) => (
              <ColleaguesRow key={row.seat} row={row} office={office} />
            ))}
          </Section>
        )}
        {done.length > 0 && (
          <Fold title={staffWords.done} count={done.length}>
            {done.map((row) => (
              <DoneRow key={row.seat} row={row} />
            ))}
          </Fold>
        )}
      </div>
    </aside>
  );
}
