import { Button } from '../ui/Button';
import { Icon } from '../ui/Icon';
import { joinWords } from '../words/join';
import type { Session } from './session';

interface TitleProps {
  session: Session;
  /** leaves out what the screen before has said */
  brief?: boolean;
}

/** Whom the visit is with, when, and as whom. */
export function VisitTitle({ session, brief = false }: TitleProps) {
  const { view } = session.live.get();
  if (view === undefined) return null;
  const { me, visit, clinic } = view;
  return (
    <div class="stack tight">
      <h1>{joinWords.visit({ role: me.role, clinic: clinic.name, with: visit?.with ?? [] })}</h1>
      {!brief && visit !== null && visit.scheduledAt > 0 && (
        <p class="when">
          <Icon name="clock" />
          {joinWords.when(visit.scheduledAt, session.clock.value)}
        </p>
      )}
      {me.role !== 'patient' && <p class="role-note">{joinWords.youJoinAs(me.role)}</p>}
    </div>
  );
}

/** The link was opened: one thing to do. */
export function Welcome({ session }: { session: Session }) {
  const busy = session.joining.value;
  return (
    <>
      <VisitTitle session={session} />
      <p class="quiet">{joinWords.noApp}</p>
      <div class="stack actions">
        <Button kind="primary" size="large" wide icon="camera" onPress={session.check}>
          {joinWords.check}
        </Button>
        <Button wide busy={busy} test="join" onPress={session.joinSound}>
          {joinWords.joinSound}
        </Button>
        <Button kind="plain" wide onPress={session.joinChat}>
          {joinWords.joinChat}
        </Button>
      </div>
    </>
  );
}
