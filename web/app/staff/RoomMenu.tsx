import { Icon } from '../ui/Icon';
import { staffWords } from '../words/staff';
import { Menu } from './Menu';
import type { Office } from './office';

/**
 * The waiting room's name; for those who work in several, with the way to the others. They are links,
 * so that a second one can be opened in a tab of its own. In a visit there is none: it would part
 * patient and clinician.
 */
export function RoomMenu({ office }: { office: Office }) {
  const room = office.live.get().view?.room;
  const others = office.workplaces.value;
  const name = <bdi class="quiet">{room?.name}</bdi>;
  if (others.length < 2 || office.room.visit.value !== undefined) return name;
  return (
    <Menu
      kind="room-menu"
      label={staffWords.changeRoom(room?.name ?? '')}
      face={
        <>
          {name}
          <Icon name="open" />
        </>
      }
    >
      <ul class="room-list">
        {others.map(({ id, name: other, path }) => (
          <li key={id}>
            <a
              class="button plain wide"
              href={path}
              dir="auto"
              aria-current={id === room?.id ? 'page' : undefined}
            >
              {other}
            </a>
          </li>
        ))}
      </ul>
    </Menu>
  );
}
