import { Icon } from '../ui/Icon';
import { staffWords } from '../words/staff';
import { Closed, LinkProblem, Opening } from './Pages';
import { InVisit } from './InVisit';
import { Lobby } from './Lobby';
import type { Office } from './office';
import { Sheets } from './Sheets';
import { WaitingRoom } from './WaitingRoom';

/** The whole page; `state` says the own seat's state to outside tests at any time. */
export function StaffPage({ office }: { office: Office }) {
  const seat = office.live.get().view?.me.state ?? 'expected';
  return (
    <div class="page" data-testid="state" data-state={seat}>
      <Draw office={office} />
    </div>
  );
}

function Draw({ office }: { office: Office }) {
  const { closed, view } = office.live.get();
  if (office.problem.value !== undefined) return <LinkProblem office={office} />;
  if (closed !== undefined) return <Closed office={office} code={closed.code} />;
  if (view === undefined) return <Opening />;
  const inVisit = office.room.visit.value !== undefined;
  const classes = ['office', inVisit && 'in-visit', office.drawer.value && 'drawer-open'];
  return (
    <div class={classes.filter(Boolean).join(' ')}>
      <WaitingRoom office={office} />
      {inVisit ? <InVisit office={office} /> : <Lobby office={office} />}
      <Sheets office={office} />
      <p class="unseen" role="status">
        {office.arrival.value}
      </p>
      {office.line.value === 'lost' && (
        <p class="toast warning" role="alert">
          <Icon name="wait" spin />
          {staffWords.lost}
        </p>
      )}
    </div>
  );
}
