import { useRef } from 'preact/hooks';
import { Icon } from '../ui/Icon';
import { staffWords } from '../words/staff';
import { chimeSettings, type Chime } from './chime';

/** How loudly an arrival asks for attention. Closes when the focus goes elsewhere. */
export function ChimeMenu({ chime }: { chime: Chime }) {
  const now = chime.setting.value;
  const menu = useRef<HTMLDetailsElement>(null);
  const close = () => {
    if (menu.current !== null) menu.current.open = false;
  };
  return (
    <details
      ref={menu}
      onFocusOut={({ relatedTarget }) => {
        if (menu.current?.contains(relatedTarget as Node | null) !== true) close();
      }}
      onKeyDown={({ key }) => {
        if (key === 'Escape') close();
      }}
    >
      <summary
        class="tool"
        aria-label={staffWords.chimeState[now]}
        title={staffWords.chimeState[now]}
      >
        <Icon name={now === 'off' ? 'bellOff' : 'bell'} />
      </summary>
      <fieldset class="menu-sheet" tabIndex={-1}>
        <legend class="unseen">{staffWords.chimeTitle}</legend>
        <p class="legend" aria-hidden="true">
          {staffWords.chimeTitle}
        </p>
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
