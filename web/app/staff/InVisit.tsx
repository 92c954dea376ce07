import { DeviceHelp } from '../media/DeviceHelp';
import { Stage } from '../media/Stage';
import { Button } from '../ui/Button';
import { Icon } from '../ui/Icon';
import { Notice } from '../ui/Notice';
import { staffWords } from '../words/staff';
import { stageWords } from '../words/stage';
import { CallBar } from './CallBar';
import type { Office } from './office';
import { visitKey } from './room';
import { SidePanel } from './SidePanel';

/** The visit beside the waiting room. */
export function InVisit({ office }: { office: Office }) {
  const { live, controls, line } = office;
  const { participants, view } = live.get();
  if (view === undefined) return null;
  return (
    <main class="visit">
      <h1 class="unseen">
        {staffWords.visit(participants.filter(({ me }) => !me).map(({ name }) => name))}
      </h1>
      <Stage live={live} controls={controls} people={participants} mine={view.me.role}>
        <StageNotices office={office} />
        {line.value === 'lost' && (
          <p class="stage-cover" role="alert">
            <Icon name="wait" spin />
            {staffWords.lost}
          </p>
        )}
      </Stage>
      <CallBar office={office} />
      <SidePanel office={office} />
    </main>
  );
}

/** What lies over the picture: the hold, the line, the own devices, what was refused. */
function StageNotices({ office }: { office: Office }) {
  const { controls, room, tasks, line } = office;
  const trouble = controls.unseen.value;
  const note = room.sheet.value === 'none' ? tasks.notes.value.get(visitKey) : undefined;
  return (
    <div class="stage-notices">
      {line.value === 'weak' && (
        <p class="stage-note" role="status">
          <Icon name="wait" spin />
          {stageWords.lineWeak}
        </p>
      )}
      {room.patientHeld.value && (
        <p class="stage-note" role="status">
          <Icon name="hold" />
          {staffWords.heldBanner}
        </p>
      )}
      {note !== undefined && (
        <Notice kind="danger" role="alert">
          {note}
        </Notice>
      )}
      <SoundGate office={office} />
      {trouble !== undefined && (
        <DeviceHelp trouble={trouble} controls={controls} onClose={controls.putAside} />
      )}
    </div>
  );
}

/** Shown only where the browser or a telephone call silenced the page: one click brings it back. */
function SoundGate({ office }: { office: Office }) {
  const interrupted = office.live.get().interruption === 'needs_tap';
  if (office.sound.value && !interrupted) return null;
  return (
    <Notice kind="warning" role="alert">
      <strong>{interrupted ? stageWords.interrupted : stageWords.soundBlocked}</strong>
      <Button kind="primary" icon="sound" onPress={office.resumeMedia}>
        {interrupted ? stageWords.resume : stageWords.soundOn}
      </Button>
    </Notice>
  );
}
