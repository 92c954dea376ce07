import { useSignal } from '@preact/signals';
import { Button } from '../ui/Button';
import { Notice } from '../ui/Notice';
import { staffWords } from '../words/staff';
import { rowKey, type Question } from './desk';
import { Dialog } from './Dialog';
import type { Office } from './office';

type Asked = Exclude<Question, { kind: 'transfer' }>;

/** Enough for a sentence; the row has to show it. The server would take more. */
export const maxReason = 120;

/** Why somebody is moved in the queue or their visit is called off; only the first needs a reason. */
export function ReasonSheet({ office, question }: { office: Office; question: Asked }) {
  const { desk } = office;
  const { row, kind } = question;
  const reason = useSignal('');
  const title =
    kind === 'move'
      ? staffWords.moveTitle[question.move.where](row.patientName ?? row.name)
      : staffWords.cancelTitle(row.name);
  return (
    <Dialog title={title} onClose={desk.giveUp}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void desk.answer(reason.value.trim());
        }}
      >
        <div class="field">
          <label for="reason">{staffWords.why[kind]}</label>
          <input
            id="reason"
            class="input"
            data-testid="reason"
            data-focus
            required={kind === 'move'}
            pattern=".*\S.*"
            maxLength={maxReason}
            autocomplete="off"
            dir="auto"
            value={reason.value}
            onInput={(event) => {
              reason.value = event.currentTarget.value;
            }}
          />
        </div>
        <Answers office={office} question={question} />
      </form>
    </Dialog>
  );
}

function Answers({ office, question: { kind, row } }: { office: Office; question: Asked }) {
  const { desk, tasks } = office;
  const key = rowKey(row.seat);
  const note = tasks.notes.value.get(key);
  return (
    <>
      {note !== undefined && (
        <Notice kind="danger" role="alert">
          {note}
        </Notice>
      )}
      <div class="dialog-actions">
        <Button onPress={desk.giveUp}>
          {kind === 'move' ? staffWords.cancel : staffWords.keepVisit}
        </Button>
        <Button
          kind={kind === 'move' ? 'primary' : 'danger'}
          type="submit"
          test="confirm-reason"
          busy={tasks.busy.value.has(key)}
        >
          {kind === 'move' ? staffWords.move : staffWords.cancelVisit}
        </Button>
      </div>
    </>
  );
}
