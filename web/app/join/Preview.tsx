import { DeviceHelp } from '../media/DeviceHelp';
import { DevicePicker } from '../media/DevicePicker';
import { OwnButtons } from '../media/OwnButtons';
import { SelfVideo } from '../media/SelfVideo';
import { Button } from '../ui/Button';
import { Icon } from '../ui/Icon';
import { Level } from '../ui/Level';
import { joinWords } from '../words/join';
import type { Session } from './session';
import { VisitTitle } from './Welcome';

/** Own picture and sound before anybody else has them, and the one tap into the waiting room. */
export function Preview({ session }: { session: Session }) {
  const { live, controls, how } = session;
  const trouble = controls.trouble.value;
  return (
    <>
      <button type="button" class="back" onClick={session.back}>
        <Icon name="back" />
        {joinWords.back}
      </button>
      <VisitTitle session={session} />
      <section class="stack preview" aria-label={joinWords.checkTitle}>
        <div class="preview-picture">
          <SelfVideo live={live} controls={controls} />
          <div class="preview-bar">
            <OwnButtons controls={controls} />
          </div>
        </div>
        {trouble !== undefined && (
          <DeviceHelp trouble={trouble} controls={controls} link={session.link} />
        )}
        <Level live={live} />
        <DevicePicker live={live} controls={controls} />
      </section>
      <div class="stack actions">
        <Button
          kind="primary"
          size="large"
          wide
          test="join"
          busy={session.joining.value}
          onPress={session.join}
        >
          {joinWords.joinHow[how.value]}
        </Button>
        {how.value === 'both' && (
          <Button kind="plain" wide onPress={session.joinSound}>
            {joinWords.soundOnly}
          </Button>
        )}
      </div>
    </>
  );
}
