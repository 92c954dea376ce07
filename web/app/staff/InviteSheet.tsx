import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { MaxNameRunes, type Role } from '../../client/index';
import { Button } from '../ui/Button';
import { Copy } from '../ui/Copy';
import { roleName } from '../words/people';
import { guestRoles, staffWords } from '../words/staff';
import { Dialog } from './Dialog';
import type { Office } from './office';
import { visitKey, type Invitation } from './room';
import { SheetNote } from './SheetNote';

/** A link for one more person, made and copied. */
export function InviteSheet({ office }: { office: Office }) {
  const { room } = office;
  const invitation = room.invitation.value;
  const close = () => {
    room.show('none');
  };
  return (
    <Dialog title={staffWords.inviteTitle} onClose={close}>
      {invitation === undefined ? (
        <Form office={office} onCancel={close} />
      ) : (
        <Ready invitation={invitation} onClose={close} />
      )}
    </Dialog>
  );
}

function Form({ office, onCancel }: { office: Office; onCancel: () => void }) {
  const role = useSignal<Role>('specialist');
  const name = useSignal('');
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        office.room.invite(role.value, name.value.trim());
      }}
    >
      <div class="field">
        <label for="guest-name">{staffWords.inviteName}</label>
        <input
          id="guest-name"
          class="input"
          data-testid="invite-name"
          data-focus
          required
          pattern=".*\S.*"
          maxLength={MaxNameRunes}
          autocomplete="off"
          dir="auto"
          value={name.value}
          onInput={(event) => {
            name.value = event.currentTarget.value;
          }}
        />
      </div>
      <div class="field">
        <label for="guest-role">{staffWords.inviteRole}</label>
        <RoleSelect value={role.value} onChoose={(next) => (role.value = next)} />
      </div>
      <SheetNote office={office} />
      <div class="dialog-actions">
        <Button onPress={onCancel}>{staffWords.cancel}</Button>
        <Button
          kind="primary"
          type="submit"
          test="invite-make"
          busy={office.tasks.busy.value.has(visitKey)}
        >
          {staffWords.inviteMake}
        </Button>
      </div>
    </form>
  );
}

function RoleSelect({ value, onChoose }: { value: Role; onChoose: (role: Role) => void }) {
  return (
    <select
      id="guest-role"
      class="input"
      data-testid="invite-role"
      value={value}
      onChange={(event) => {
        onChoose(event.currentTarget.value as Role);
      }}
    >
      {guestRoles.map((role) => (
        <option key={role} value={role}>
          {roleName[role]}
        </option>
      ))}
    </select>
  );
}

/** The link, which is a secret of one person. */
function Ready({ invitation, onClose }: { invitation: Invitation; onClose: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  // The form, which had the focus, is gone.
  useEffect(() => field.current?.focus(), []);
  return (
    <>
      <p role="status">{staffWords.inviteReady(invitation.name)}</p>
      <input
        class="input"
        readOnly
        aria-label={staffWords.copy}
        ref={field}
        data-testid="invite-link"
        value={invitation.link}
        onFocus={(event) => {
          event.currentTarget.select();
        }}
      />
      <div class="dialog-actions">
        <Copy text={invitation.link} label={staffWords.copy} done={staffWords.copied} />
        <Button kind="primary" onPress={onClose}>
          {staffWords.doneButton}
        </Button>
      </div>
    </>
  );
}
