import { CallButton } from '../media/CallButton';
import { OwnButtons } from '../media/OwnButtons';
import { staffWords } from '../words/staff';
import { stageWords } from '../words/stage';
import type { Office } from './office';

/** Own devices, what concerns everybody in the visit, and the two ways out of it. */
export function CallBar({ office }: { office: Office }) {
  const { controls, desk, drawer, room } = office;
  return (
    <nav class="call-bar" aria-label={stageWords.controls}>
      <div class="call-group drawer-button">
        <CallButton
          icon="people"
          label={staffWords.openList}
          count={desk.waiting.value.count}
          expanded={drawer.value}
          onPress={() => {
            office.showDrawer(!drawer.value);
          }}
        />
      </div>
      <div class="call-group">
        <OwnButtons controls={controls} />
      </div>
      <Everybody office={office} />
      <div class="call-group">
        <CallButton icon="leave" label={staffWords.leave} test="leave" onPress={room.leave} />
        <CallButton
          icon="end"
          kind="end"
          label={staffWords.end}
          test="end"
          onPress={() => {
            room.show('end');
          }}
        />
      </div>
    </nav>
  );
}

function Everybody({ office }: { office: Office }) {
  const { room } = office;
  const held = room.anyHeld.value;
  const locked = room.visit.value?.locked === true;
  return (
    <div class="call-group">
      <CallButton
        icon={held ? 'resume' : 'hold'}
        label={held ? staffWords.resumeAll : staffWords.holdAll}
        kind={held ? 'on' : undefined}
        test={held ? 'resume-all' : 'hold-all'}
        onPress={room.toggleHold}
      />
      <CallButton
        icon={locked ? 'lock' : 'unlock'}
        label={locked ? staffWords.unlock : staffWords.lock}
        kind={locked ? 'on' : undefined}
        test="lock"
        onPress={() => {
          room.lock(!locked);
        }}
      />
      <CallButton
        icon="handOver"
        label={staffWords.handOver}
        test="hand-over"
        onPress={() => {
          room.show('handOver');
        }}
      />
    </div>
  );
}
