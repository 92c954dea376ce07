import { Icon } from '../ui/Icon';
import { staffWords } from '../words/staff';
import { chimeSettings, type Chime } from './chime';

/** How loudly an arrival asks for attention. */
export function ChimeMenu({ chime }: { chime: Chime }) {
  const now = chime.setting.value;
  return (
    <details class="menu">
      <summary
        class="tool"
        aria-label={staffWords.chimeState[now]}
        title={staffWords.chimeState[now]}
      >
        <Icon name={now === 'off' ? 'bellOff' : 'bell'} />
      </summary>
      <fieldset class="menu-sheet">
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
    </details>
  );
}
