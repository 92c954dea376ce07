import { useSignal } from '@preact/signals';
import type { Disposition } from '../../client/index';
import { Button } from '../ui/Button';
import { dispositions, staffWords } from '../words/staff';
import { Dialog } from './Dialog';
import type { Office } from './office';
import { visitKey } from './room';
import { SheetNote } from './SheetNote';

/** The end cannot be taken back, so it asks once, together with what came of the visit. */
export function EndSheet({ office }: { office: Office }) {
  const { room, tasks } = office;
  const chosen = useSignal<Disposition>('done');
  const close = () => {
    room.show('none');
  };
  return (
    <Dialog title={staffWords.endTitle} onClose={close}>
      <fieldset>
        <legend class="legend">{staffWords.endAsk}</legend>
        {dispositions.map(([value, label]) => (
          <label key={value} class="choice">
            <input
              type="radio"
              name="disposition"
              value={value}
              checked={chosen.value === value}
              onChange={() => {
                chosen.value = value;
              }}
            />
            {label}
          </label>
        ))}
      </fieldset>
      <SheetNote office={office} />
      <div class="dialog-actions">
        <Button onPress={close}>{staffWords.stay}</Button>
        <Button
          kind="danger"
          icon="end"
          focus
          test="confirm-end"
          busy={tasks.busy.value.has(visitKey)}
          onPress={() => {
            room.end(chosen.value);
          }}
        >
          {staffWords.confirmEnd}
        </Button>
      </div>
    </Dialog>
  );
}
