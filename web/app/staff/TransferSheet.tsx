import { useSignal } from '@preact/signals';
import type { Row } from '../../client/index';
import { Button } from '../ui/Button';
import { Notice } from '../ui/Notice';
import { staffWords } from '../words/staff';
import { rowKey } from './desk';
import { Dialog } from './Dialog';
import type { Office } from './office';
import { maxReason } from './ReasonSheet';

/** To which other waiting room a person goes, and why if somebody says so. */
export function TransferSheet({ office, row }: { office: Office; row: Row }) {
  const { desk, tasks } = office;
  const reason = useSignal('');
  const name = row.patientName ?? row.name;
  const note = tasks.notes.value.get(rowKey(row.seat));
  return (
    <Dialog title={staffWords.transferTitle(name)} onClose={desk.giveUp}>
      <p>{staffWords.transferHint}</p>
      <div class="field">
        <label for="reason">{staffWords.why.transfer}</label>
        <input
          id="reason"
          class="input"
          data-testid="reason"
          data-focus
          maxLength={maxReason}
          autocomplete="off"
          dir="auto"
          value={reason.value}
          onInput={(event) => {
            reason.value = event.currentTarget.value;
          }}
        />
      </div>
      <ul class="colleagues">
        {desk.otherRooms.value.map((room) => (
          <li key={room.id}>
            <bdi>{room.name}</bdi>
            <Button
              size="small"
              test="transfer-to"
              label={staffWords.transferLong(name, room.name)}
              busy={tasks.busy.value.has(rowKey(row.seat))}
              onPress={() => void desk.answer(reason.value.trim(), room.id)}
            >
              {staffWords.transferTo}
            </Button>
          </li>
        ))}
      </ul>
      {note !== undefined && (
        <Notice kind="danger" role="alert">
          {note}
        </Notice>
      )}
      <div class="dialog-actions">
        <Button onPress={desk.giveUp}>{staffWords.cancel}</Button>
      </div>
    </Dialog>
  );
}
