import { Chat } from '../chat/Chat';
import { Button } from '../ui/Button';
import { Icon } from '../ui/Icon';
import type { IconName } from '../ui/icons';
import { closedWords, joinWords, overWords } from '../words/join';
import { linkWords } from '../words/problems';
import { names } from '../words/people';
import { stopwatch } from '../words/time';
import { stageWords } from '../words/stage';
import type { Session } from './session';
import { Ring } from './Shell';

interface HeadProps {
  icon: IconName;
  title: string;
  text: string;
}

function Head({ icon, title, text }: HeadProps) {
  return (
    <div class="stack">
      <span class="big-icon">
        <Icon name={icon} />
      </span>
      <h1>{title}</h1>
      <p>{text}</p>
    </div>
  );
}

export function Opening() {
  return (
    <p class="opening" role="status">
      <Icon name="wait" spin />
      {joinWords.opening}
    </p>
  );
}

/** The link could not be opened: why, and what to do. */
export function LinkProblem({ session }: { session: Session }) {
  const code = session.problem.value ?? 'internal';
  const again = code === 'offline' || code === 'internal' || code === 'too_many';
  return (
    <div class="stack" data-testid="error" data-code={code} role="alert">
      <Head icon="danger" {...linkWords[code]} />
      {again && (
        <Button kind="primary" icon="reload" onPress={() => void session.start()}>
          {joinWords.again}
        </Button>
      )}
    </div>
  );
}

/** On hold: nobody sees or hears the person. */
export function Held({ session }: { session: Session }) {
  const { view } = session.live.get();
  const since = view?.me.held ?? 0;
  const by = names(view?.visit?.with ?? []) || joinWords.heldBy;
  return (
    <main class="held">
      <span class="big-icon">
        <Icon name="hold" />
      </span>
      <h1>{joinWords.heldTitle(by)}</h1>
      <p role="status">{joinWords.heldText}</p>
      {since > 0 && (
        <p class="held-time">
          {joinWords.onHoldFor} <span>{stopwatch(since, session.clock.value)}</span>
        </p>
      )}
      {session.line.value !== 'good' && (
        <p class="stage-note" role="alert">
          <Icon name="wait" spin />
          {stageWords.lineLost}
        </p>
      )}
      <section class="stack tight held-chat stage-chat" aria-labelledby="tell">
        <h2 id="tell" class="h3">
          {joinWords.tell}
        </h2>
        <p class="note">{joinWords.tellHint}</p>
        <Chat talk={session.talk} />
      </section>
      <button type="button" class="button on-stage" data-testid="leave" onClick={session.leave}>
        <Icon name="leave" />
        {stageWords.leave}
      </button>
    </main>
  );
}

export function Left({ session }: { session: Session }) {
  return (
    <>
      <Head icon="door" title={joinWords.leftTitle} text={joinWords.leftText} />
      <Button kind="primary" size="large" onPress={session.comeBack}>
        {joinWords.comeBack}
      </Button>
    </>
  );
}

/** The visit is over: what next, and whom to ring. */
export function Over({ session }: { session: Session }) {
  const { view } = session.live.get();
  const special = view?.visit && overWords[view.visit.phase];
  const phone = view?.clinic.phone ?? '';
  if (special) return <Head icon="info" {...special} />;
  const who = names(view?.visit?.with ?? []) || (view?.clinic.name ?? joinWords.heldBy);
  return (
    <>
      <Head icon="ok" title={joinWords.endedTitle} text={joinWords.endedText(who)} />
      <section class="card stack tight">
        <h2 class="h3">{joinWords.endedNext}</h2>
        <ul>
          {joinWords.endedSteps.map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ul>
        {phone !== '' && <Ring phone={phone} words={joinWords.endedWorse} />}
        <p class="note quiet">{joinWords.emergency}</p>
      </section>
      <Button onPress={session.reload}>{joinWords.reopen}</Button>
    </>
  );
}

/** Out of the visit for a reason that the person can do something about, or has to know. */
export function Closed({ session }: { session: Session }) {
  const code = session.live.get().closed?.code ?? 'removed';
  return (
    <div class="stack" data-testid="error" data-code={code} role="alert">
      <Head icon={code === 'removed' ? 'remove' : 'info'} {...closedWords[code]} />
      {(code === 'seat_in_use' || code === 'taken_over') && (
        <Button kind="primary" size="large" onPress={session.takeOver}>
          {joinWords.useThis}
        </Button>
      )}
      {code === 'outdated' && (
        <Button kind="primary" size="large" icon="reload" onPress={session.reload}>
          {joinWords.reload}
        </Button>
      )}
    </div>
  );
}
