import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Chat } from '../chat/Chat';
import { CallButton } from '../media/CallButton';
import { DeviceHelp } from '../media/DeviceHelp';
import { OwnButtons } from '../media/OwnButtons';
import { Stage } from '../media/Stage';
import { Icon } from '../ui/Icon';
import { joinWords } from '../words/join';
import { stageWords } from '../words/stage';
import type { Session } from './session';
import { SoundGate } from './SoundGate';

const welcomeMs = 6000;

/** 'Dr Osei is with you now', for the first seconds. */
function Arrival({ who }: { who: readonly string[] }) {
  const over = useSignal(false);
  useEffect(() => {
    const timer = setTimeout(() => {
      over.value = true;
    }, welcomeMs);
    return () => {
      clearTimeout(timer);
    };
  }, []);
  if (over.value) return null;
  return (
    <p class="arrival" role="alert">
      <Icon name="ok" />
      {joinWords.ready(who)}
    </p>
  );
}

/** The notices that lie over the picture, at its upper edge. */
function Overlays({ session }: { session: Session }) {
  const { controls, line } = session;
  const trouble = controls.unseen.value;
  return (
    <div class="stage-notices">
      {line.value === 'weak' && (
        <p class="stage-note" role="status">
          <Icon name="wait" spin />
          {stageWords.lineWeak}
        </p>
      )}
      <SoundGate session={session} />
      {trouble !== undefined && (
        <DeviceHelp trouble={trouble} controls={controls} onClose={controls.putAside} />
      )}
    </div>
  );
}

/** The other person fills the page. */
export function InVisit({ session }: { session: Session }) {
  const { live, controls, talk } = session;
  const chatting = useSignal(false);
  const { participants, view } = live.get();
  if (view === undefined) return null;
  const others = participants.filter((person) => !person.me);
  return (
    <main class={`call ${chatting.value ? 'chatting' : ''}`}>
      <h1 class="unseen">
        {joinWords.visit({
          role: view.me.role,
          clinic: view.clinic.name,
          with: view.visit?.with ?? [],
        })}
      </h1>
      <Stage live={live} controls={controls} people={participants} mine={view.me.role}>
        <Arrival who={others.map((person) => person.name)} />
        <Overlays session={session} />
        {session.line.value === 'lost' && (
          <p class="stage-cover" role="alert">
            <Icon name="wait" spin />
            {stageWords.lineLost}
          </p>
        )}
      </Stage>
      <section class="call-chat stage-chat" aria-label={stageWords.chat}>
        <Chat talk={talk} />
      </section>
      <nav class="call-bar" aria-label={stageWords.controls}>
        <OwnButtons controls={controls} />
        <CallButton
          icon="chat"
          label={stageWords.chat}
          expanded={chatting.value}
          kind={chatting.value ? 'on' : undefined}
          onPress={() => {
            chatting.value = !chatting.value;
          }}
        />
        <CallButton
          icon="end"
          kind="end"
          label={stageWords.leave}
          test="leave"
          onPress={session.leave}
        />
      </nav>
    </main>
  );
}
