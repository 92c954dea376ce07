import type { Participant } from '../../client/index';
import { isSilent } from '../state/stage';
import { Badge } from '../ui/Badge';
import { Button } from '../ui/Button';
import { Icon } from '../ui/Icon';
import { roleName } from '../words/people';
import { staffWords } from '../words/staff';
import { stageWords } from '../words/stage';
import type { Office } from './office';
import { canManage, linkOf, personKey } from './room';
import { Thread, WriteButton } from './Thread';

interface Props {
  person: Participant;
  office: Office;
}

/** One person in the visit: who, how they are connected, and what can be done. */
export function PersonEntry({ person, office }: Props) {
  const note = office.tasks.notes.value.get(personKey(person.seat));
  const link = linkOf(person);
  const held = person.state === 'held';
  const visit = office.room.visit.value?.id ?? '';
  return (
    <li class={held ? 'held' : ''}>
      <p class="party-who">
        <bdi>{person.name}</bdi>
        <span class="quiet">{person.me ? stageWords.you : roleName[person.role]}</span>
        {isSilent(person) && !held && (
          <span class="party-icon" title={stageWords.muted}>
            <Icon name="microphoneOff" />
            <span class="unseen">{stageWords.muted}</span>
          </span>
        )}
      </p>
      {(held || link !== 'good' || person.unheard) && (
        <p class="badges">
          {held && (
            <Badge kind="warning" icon="hold">
              {staffWords.seatStates.held}
            </Badge>
          )}
          {link !== 'good' && (
            <Badge kind="warning" icon="weak">
              {stageWords.link[link]}
            </Badge>
          )}
          {person.unheard && (
            <Badge kind="warning" icon="microphoneOff">
              {stageWords.unheard}
            </Badge>
          )}
        </p>
      )}
      {canManage(person) && <Actions person={person} office={office} />}
      {held && <Thread who={{ ...person, visit }} threads={office.threads} />}
      {note !== undefined && (
        <p class="row-note" role="alert">
          {note}
        </p>
      )}
    </li>
  );
}

function Actions({ person, office }: Props) {
  const { room, tasks } = office;
  const { seat, name } = person;
  const held = person.state === 'held';
  const visit = room.visit.value?.id ?? '';
  return (
    <div class="party-actions">
      {held && <WriteButton who={{ visit, seat, name }} threads={office.threads} />}
      <Button
        size="small"
        test={held ? 'resume' : 'hold'}
        seat={seat}
        busy={tasks.busy.value.has(personKey(seat))}
        onPress={() => {
          if (held) room.resume(seat);
          else room.hold(seat);
        }}
      >
        {held ? staffWords.resume : staffWords.hold}
      </Button>
      <Button
        size="small"
        test="return"
        seat={seat}
        label={staffWords.returnLong(name)}
        onPress={() => {
          room.sendBack(seat);
        }}
      >
        {staffWords.return}
      </Button>
      <Button
        size="small"
        kind="danger"
        test="remove"
        seat={seat}
        label={staffWords.removeLong(name)}
        onPress={() => {
          room.remove(person, staffWords.removedToast(name));
        }}
      >
        {staffWords.remove}
      </Button>
    </div>
  );
}
