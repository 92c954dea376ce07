import type { JSX } from 'preact';
import type { Screen } from '../state/patient';
import { InVisit } from './InVisit';
import { Closed, Held, Left, LinkProblem, Opening, Over } from './Pages';
import { Preview } from './Preview';
import type { Session } from './session';
import { Shell } from './Shell';
import { Waiting } from './Waiting';
import { Welcome } from './Welcome';

type Draw = (props: { session: Session }) => JSX.Element | null;

const plain: Record<Exclude<Screen, 'visit' | 'held'>, Draw> = {
  opening: Opening,
  link: LinkProblem,
  welcome: Welcome,
  preview: Preview,
  waiting: Waiting,
  left: Left,
  over: Over,
  closed: Closed,
};

/** The whole page; `state` says the seat's state to outside tests at any time. */
export function JoinPage({ session }: { session: Session }) {
  const screen = session.screen.value;
  const seat = session.live.get().view?.me.state ?? 'expected';
  return (
    <div class="page" data-testid="state" data-state={seat} data-screen={screen}>
      <Draw screen={screen} session={session} />
    </div>
  );
}

function Draw({ screen, session }: { screen: Screen; session: Session }) {
  if (screen === 'visit') return <InVisit session={session} />;
  if (screen === 'held') return <Held session={session} />;
  const Content = plain[screen];
  return (
    <Shell session={session}>
      <div class="stack screen" key={screen}>
        <Content session={session} />
      </div>
    </Shell>
  );
}
