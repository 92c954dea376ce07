/** Single keys of the clinician's page. */
import type { Office } from './office';

/** What of a key press matters. */
export interface Press {
  key: string;
  /** with Ctrl, Alt or Meta it belongs to the browser */
  modified: boolean;
  /** somebody writes, or chooses in a field */
  typing: boolean;
  /** the focus is on something that Enter presses */
  onControl: boolean;
}

type Act = (office: Office) => void;

/** Keys that always work: they do nothing on their own where text is written. */
const plain: Readonly<Record<string, Act>> = {
  Escape: ({ desk, drawer, showDrawer }) => {
    if (desk.card.value !== undefined) desk.close();
    else if (drawer.value) showDrawer(false);
  },
};

/** Letters can be switched off, because speech input presses them by mistake. */
const single: Readonly<Record<string, Act>> = {
  n: ({ desk, showDrawer }) => {
    const next = desk.next.value;
    if (next === undefined) return;
    showDrawer(true);
    desk.open(next);
  },
  m: ({ controls }) => controls.toggleMicrophone(),
  v: ({ controls }) => controls.toggleCamera(),
  h: ({ room }) => {
    if (room.visit.value !== undefined) room.toggleHold();
  },
  c: ({ room, write }) => {
    if (room.visit.value !== undefined) write();
  },
  '?': ({ room }) => room.show('keys'),
};

/** Does what the key says; true if it was one of ours. */
export function press(office: Office, { key, modified, typing, onControl }: Press): boolean {
  const { desk, room, singleKeys } = office;
  if (modified || room.sheet.value !== 'none' || desk.question.value !== undefined) return false;
  if (key === 'Enter') {
    const row = desk.cardRow.value;
    if (row === undefined || typing || onControl) return false;
    void desk.confirm(row);
    return true;
  }
  const act = plain[key] ?? (singleKeys.value && !typing ? single[key] : undefined);
  act?.(office);
  return act !== undefined;
}
