import { minutesSince } from '../words/time';
import { Icon } from '../ui/Icon';
import { staffWords } from '../words/staff';
import { ChimeMenu } from './ChimeMenu';
import type { Office } from './office';
import { RoomMenu } from './RoomMenu';

/** Which waiting room it is, how many wait, and the controls of the page itself. */
export function DeskHead({ office }: { office: Office }) {
  const { view } = office.live.get();
  const { count, since } = office.desk.waiting.value;
  const now = office.clock.value;
  return (
    <header class="desk-head">
      <div class="desk-place">
        <h1>
          <bdi>{view?.clinic.name}</bdi>
        </h1>
        <RoomMenu office={office} />
      </div>
      <div class="desk-tools">
        <ChimeMenu chime={office.chime} />
        <button
          type="button"
          class="tool"
          aria-label={staffWords.keysTitle}
          title={`${staffWords.keysTitle} (?)`}
          onClick={() => {
            office.room.show('keys');
          }}
        >
          <Icon name="keys" />
        </button>
        <button
          type="button"
          class="tool drawer-close"
          aria-label={staffWords.closeList}
          title={staffWords.closeList}
          onClick={() => {
            office.showDrawer(false);
          }}
        >
          <Icon name="close" />
        </button>
      </div>
      <p class="desk-count">{staffWords.count(count, minutesSince(since ?? now, now))}</p>
      {!office.sound.value && (
        <p class="desk-sound" role="status">
          <Icon name="sound" />
          {staffWords.soundNeedsTap}
        </p>
      )}
    </header>
  );
}
