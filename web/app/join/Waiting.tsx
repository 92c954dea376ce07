import { Chat } from '../chat/Chat';
import { DeviceHelp } from '../media/DeviceHelp';
import { OwnButtons } from '../media/OwnButtons';
import { SelfVideo } from '../media/SelfVideo';
import { Button } from '../ui/Button';
import { Icon } from '../ui/Icon';
import { Notice } from '../ui/Notice';
import { joinWords } from '../words/join';
import type { Session } from './session';
import { SoundGate } from './SoundGate';

/** Where the person is on the way: here, waiting, visit. */
function Stations() {
  const { here, waiting, visit } = joinWords.stations;
  return (
    <ol class="stations">
      <li class="past">
        <Icon name="check" />
        {here}
      </li>
      <li class="now" aria-current="step">
        {waiting}
      </li>
      <li>{visit}</li>
    </ol>
  );
}

/** The truth about the wait; the place is kept. */
export function Waiting({ session }: { session: Session }) {
  const { live, controls } = session;
  const wait = session.wait.value;
  const trouble = controls.unseen.value;
  return (
    <>
      <h1>{joinWords.checkedIn}</h1>
      <Stations />
      <div class="stack tight">
        <p class="position" role="status" data-testid="position">
          {wait?.position}
        </p>
        {wait?.usual !== undefined && <p>{wait.usual}</p>}
        <p class="quiet">{joinWords.keepOpen}</p>
      </div>
      {live.get().link.media === 'full' && (
        <Notice role="status" test="busy" code="full">
          <p>
            <strong>{joinWords.busyTitle}</strong>
          </p>
          <p>{joinWords.busyText}</p>
        </Notice>
      )}
      <SoundGate session={session} />
      <section class="waiting-self">
        <SelfVideo live={live} controls={controls} />
        <div class="stack tight">
          <p class="private">
            <Icon name="hidden" />
            {joinWords.nobody}
          </p>
          <div class="own-buttons">
            <OwnButtons controls={controls} flip={false} />
          </div>
        </div>
      </section>
      {trouble !== undefined && (
        <DeviceHelp
          trouble={trouble}
          controls={controls}
          link={session.link}
          onClose={controls.putAside}
        />
      )}
      <section class="stack tight card" aria-labelledby="tell">
        <h2 id="tell" class="h3">
          {joinWords.tell}
        </h2>
        <p class="note quiet">{joinWords.tellHint}</p>
        <Chat talk={session.talk} />
      </section>
      <Button kind="plain" icon="leave" test="leave" onPress={session.leave}>
        {joinWords.leaveRoom}
      </Button>
    </>
  );
}
