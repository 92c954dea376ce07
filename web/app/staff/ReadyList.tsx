import { Icon } from '../ui/Icon';
import { staffWords } from '../words/staff';
import type { Office } from './office';
import { ReadyRow } from './ReadyRow';

/** Those who wait. The order stands still while the pointer or the focus is in the list. */
export function ReadyList({ office }: { office: Office }) {
  const { desk } = office;
  const rows = desk.ready.value;
  return (
    <section
      class="desk-part"
      aria-label={staffWords.ready}
      onPointerEnter={() => {
        desk.point(true);
      }}
      onPointerLeave={(event) => {
        desk.point(event.currentTarget.matches(':focus-within'));
      }}
      onFocusIn={() => {
        desk.point(true);
      }}
      onFocusOut={({ currentTarget, relatedTarget }) => {
        desk.point(
          currentTarget.contains(relatedTarget as Node) || currentTarget.matches(':hover'),
        );
      }}
    >
      <h2>{staffWords.ready}</h2>
      {rows.length === 0 && (
        <div class="desk-empty">
          <Icon name="door" />
          <p>{staffWords.nobody}</p>
          <p class="note quiet">{staffWords.nobodyHint}</p>
        </div>
      )}
      <ul class="people">
        {rows.map((row) => (
          <ReadyRow key={row.seat} row={row} office={office} />
        ))}
      </ul>
    </section>
  );
}
