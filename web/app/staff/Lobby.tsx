import { Button } from '../ui/Button';
import { Icon } from '../ui/Icon';
import { staffWords } from '../words/staff';
import { minutesSince } from '../words/time';
import type { Office } from './office';
import { RowHead, Facts } from './RowParts';
import { SetUp } from './SetUp';

/** In no visit: the own devices, and who is next. */
export function Lobby({ office }: { office: Office }) {
  const after = office.room.after.value;
  return (
    <main class="lobby">
      {after !== 'nothing' && (
        <p class="lobby-after" role="status">
          <Icon name="ok" />
          {after === 'ended' ? staffWords.visitOver : staffWords.leftVisit}
        </p>
      )}
      {after !== 'nothing' && <NextUp office={office} />}
      <SetUp office={office} />
    </main>
  );
}

/** The next patient, as soon as the last one is seen. */
function NextUp({ office }: { office: Office }) {
  const { desk, clock } = office;
  const next = desk.next.value;
  if (next === undefined) return <p class="quiet">{staffWords.noneNext}</p>;
  return (
    <section class="sheet next-up" aria-label={staffWords.nextUp}>
      <h2>{staffWords.nextUp}</h2>
      <div>
        <RowHead
          row={next}
          aside={staffWords.waits(minutesSince(next.waitingSince, clock.value))}
        />
        <Facts row={next} />
      </div>
      <Button
        kind="primary"
        onPress={() => {
          desk.open(next);
        }}
      >
        {staffWords.openCard}
        <kbd>n</kbd>
      </Button>
    </section>
  );
}
