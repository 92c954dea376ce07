import { EndSheet } from './EndSheet';
import { HandOverSheet } from './HandOverSheet';
import { InviteSheet } from './InviteSheet';
import { KeysSheet } from './KeysSheet';
import type { Office } from './office';
import { ReasonSheet } from './ReasonSheet';
import { TransferSheet } from './TransferSheet';

/** The one dialog that is open, if any. */
export function Sheets({ office }: { office: Office }) {
  const question = office.desk.question.value;
  if (question?.kind === 'transfer') return <TransferSheet office={office} row={question.row} />;
  if (question !== undefined) return <ReasonSheet office={office} question={question} />;
  switch (office.room.sheet.value) {
    case 'none':
      return null;
    case 'end':
      return <EndSheet office={office} />;
    case 'invite':
      return <InviteSheet office={office} />;
    case 'handOver':
      return <HandOverSheet office={office} />;
    case 'keys':
      return <KeysSheet office={office} />;
  }
}
