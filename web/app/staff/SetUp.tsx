import { DeviceHelp } from '../media/DeviceHelp';
import { DevicePicker } from '../media/DevicePicker';
import { OwnButtons } from '../media/OwnButtons';
import { SelfVideo } from '../media/SelfVideo';
import { Button } from '../ui/Button';
import { Icon } from '../ui/Icon';
import { Level } from '../ui/Level';
import { staffWords } from '../words/staff';
import type { Office } from './office';

/** The own picture and sound before anybody else has them. */
export function SetUp({ office }: { office: Office }) {
  const { live, controls } = office;
  const trouble = controls.unseen.value;
  return (
    <section class="sheet set-up" aria-labelledby="set-up">
      <h2 id="set-up">{staffWords.setUp}</h2>
      <p class="private">
        <Icon name="hidden" />
        {office.room.after.value === 'nothing' ? staffWords.setUpText : staffWords.setUpBetween}
      </p>
      <div class="set-up-picture">
        <SelfVideo live={live} controls={controls} />
        {office.asksForDevices.value && (
          <div class="set-up-ask">
            <Button kind="primary" icon="camera" onPress={office.openDevices}>
              {staffWords.setUpStart}
            </Button>
          </div>
        )}
      </div>
      <div class="set-up-controls">
        <div class="own-buttons">
          <OwnButtons controls={controls} flip={false} />
        </div>
        <Level live={live} />
      </div>
      {trouble !== undefined && (
        <DeviceHelp trouble={trouble} controls={controls} onClose={controls.putAside} />
      )}
      <DevicePicker live={live} controls={controls} />
    </section>
  );
}
