import { Icon } from '../ui/Icon';
import { staffWords } from '../words/staff';
import { chimeSettings, type Chime } from './chime';
import { Menu } from './Menu';

/** How loudly an arrival asks for attention. */
export function ChimeMenu({ chime }: { chime: Chime }) {
  const now = chime.setting.value;
  return (
    <Menu
      label={staffWords.chimeState[now]}
      face={<Icon name={now === 'off' ? 'bellOff' : 'bell'} />}
    >
      <fieldset>
        <legend class="legend">{staffWords.chimeTitle}</legend>
        {chimeSettings.map((setting) => (
          <label key={setting} class="choice">
            <input
              type="radio"
              name="chime"
              checked={setting === now}
              onChange={() => {
                chime.choose(setting);
              }}
            />
            {staffWords.chime[setting]}
          </label>
        ))}
      </fieldset>
    </Menu>
  );
}
