import { Button } from '../ui/Button';
import { Badge } from '../ui/Badge';
import { roleName } from '../words/people';
import { staffWords } from '../words/staff';
import { Dialog } from './Dialog';
import type { Office } from './office';
import { visitKey } from './room';
import { SheetNote } from './SheetNote';

/** To whom the visit goes. */
export function HandOverSheet({ office }: { office: Office }) {
  const { room, live } = office;
  const close = () => {
    room.show('none');
  };
  const colleagues = live.get().view?.colleagues ?? [];
  return (
    <Dialog title={staffWords.handOverTitle} onClose={close}>
      <p>{colleagues.length === 0 ? staffWords.noColleagues : staffWords.handOverHint}</p>
      <Colleagues office={office} />
      <SheetNote office={office} />
      <div class="dialog-actions">
        <Button onPress={close}>{staffWords.cancel}</Button>
      </div>
    </Dialog>
  );
}

function Colleagues({ office }: { office: Office }) {
  const { room, live, tasks } = office;
  return (
    <ul class="colleagues">
      {live.get().view?.colleagues.map(({ id, name, role, here }) => (
        <li key={id}>
          <span>
            <bdi>{name}</bdi> <span class="quiet">{roleName[role]}</span>
          </span>
          <Badge {...(here ? { kind: 'success' } : {})}>
            {here ? staffWords.colleagueHere : staffWords.colleagueAway}
          </Badge>
          <Button
            size="small"
            busy={tasks.busy.value.has(visitKey)}
            onPress={() => {
              room.handOver(id);
            }}
          >
            {staffWords.handOver}
          </Button>
        </li>
      ))}
    </ul>
  );
}
