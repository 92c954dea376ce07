import { Button } from '../ui/Button';
import { Icon } from '../ui/Icon';
import { Badge } from '../ui/Badge';
import { roleName } from '../words/people';
import { staffWords } from '../words/staff';
import type { Office } from './office';
import { PersonEntry } from './PersonEntry';

/** Everybody in the visit with their role, and those who were invited. */
export function PeoplePanel({ office }: { office: Office }) {
  const { room } = office;
  return (
    <section class="side-people" aria-label={staffWords.people}>
      <div class="side-head">
        <h2>{staffWords.people}</h2>
        <Button
          size="small"
          icon="invite"
          test="invite"
          onPress={() => {
            room.show('invite');
          }}
        >
          {staffWords.invite}
        </Button>
      </div>
      {room.visit.value?.locked === true && (
        <p class="side-locked">
          <Icon name="lock" />
          {staffWords.locked}
        </p>
      )}
      <ul class="party">
        {room.people.value.map((person) => (
          <PersonEntry key={person.seat} person={person} office={office} />
        ))}
      </ul>
      <Invited office={office} />
      <p class="note" role="status">
        {room.said.value}
      </p>
    </section>
  );
}

function Invited({ office }: { office: Office }) {
  const rows = office.room.invited.value;
  return (
    <ul class="party">
      {rows.map((row) => (
        <li key={row.seat} class="party-invited">
          <bdi>{row.name}</bdi>
          <span class="quiet">{roleName[row.role]}</span>
          <Badge>{row.state === 'checking' ? staffWords.here : staffWords.notHere}</Badge>
        </li>
      ))}
    </ul>
  );
}
