import { DeviceHelp } from '../media/DeviceHelp';
import { DevicePicker } from '../media/DevicePicker';
import { OwnButtons } from '../media/OwnButtons';
import { SelfVideo } from '../media/SelfVideo';
import { Button } from '../ui/Button';
import { Level } from '../ui/Level';
import { joinWords } from '../words/join';
import type { Session } from './session';
import { VisitTitle } from './Welcome';

/** Own picture and sound before anybody else has them, and the one tap into the waiting room. */
export function Preview({ session }: { session: Session }) {
  const { live, controls } = session;
  const trouble = controls.trouble.value;
  return (
    <>
      <VisitTitle session={session} brief />
      {trouble !== undefined && (
        // The problem and the way on without it stand together, above all that has to be scrolled to.
        <>
          <DeviceHelp trouble={trouble} controls={controls} link={session.link} />
          <Actions session={session} />
        </>
      )}
      <section class="stack preview" aria-label={joinWords.checkTitle}>
        <div class="preview-picture">
          <SelfVideo live={live} controls={controls} />
          <div class="preview-bar">
            <OwnButtons controls={controls} />
          </div>
        </div>
        <Level live={live} />
      </section>
      {trouble === undefined && <Actions session={session} />}
      <DevicePicker live={live} controls={controls} />
    </>
  );
}

function Actions({ session }: { session: Session }) {
  const how = session.how.value;
  return (
    <div class="stack actions">
      <Button
        kind="primary"
        size="large"
        wide
        test="join"
        busy={session.joining.value}
        onPress={session.join}
      >
        {joinWords.joinHow[how]}
      </Button>
      {how === 'both' && (
        <Button kind="plain" wide onPress={session.joinSound}>
          {joinWords.soundOnly}
        </Button>
      )}
    </div>
  );
}
