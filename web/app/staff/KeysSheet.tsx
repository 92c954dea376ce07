import { Button } from '../ui/Button';
import { staffWords } from '../words/staff';
import { Dialog } from './Dialog';
import type { Office } from './office';

/** Which keys there are, and whether the letters work. */
export function KeysSheet({ office }: { office: Office }) {
  const close = () => {
    office.room.show('none');
  };
  return (
    <Dialog title={staffWords.keysTitle} onClose={close}>
      <dl class="keys">
        {staffWords.keys.map(([key, text]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <label class="choice">
        <input
          type="checkbox"
          checked={office.singleKeys.value}
          onChange={(event) => {
            office.useSingleKeys(event.currentTarget.checked);
          }}
        />
        {staffWords.keysOn}
      </label>
      <div class="dialog-actions">
        <Button focus onPress={close}>
          {staffWords.dismiss}
        </Button>
      </div>
    </Dialog>
  );
}
