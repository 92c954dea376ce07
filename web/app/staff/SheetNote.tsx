import { Notice } from '../ui/Notice';
import type { Office } from './office';
import { visitKey } from './room';

/** Why what a sheet asked for was refused. */
export function SheetNote({ office }: { office: Office }) {
  const note = office.tasks.notes.value.get(visitKey);
  if (note === undefined) return null;
  return (
    <Notice kind="danger" role="alert">
      {note}
    </Notice>
  );
}
