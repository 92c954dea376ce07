import type { Controls } from '../state/controls';
import type { Live } from '../state/live';
import { deviceWords } from '../words/devices';

type Kind = 'microphone' | 'camera' | 'speaker';

interface PickProps {
  kind: Kind;
  list: readonly MediaDeviceInfo[];
  current: string | undefined;
  controls: Controls;
}

function Pick({ kind, list, current, controls }: PickProps) {
  const id = `pick-${kind}`;
  if (list.length < 2) return null;
  return (
    <div class="field">
      <label for={id}>{deviceWords[kind]}</label>
      <select
        id={id}
        class="input"
        value={current}
        onChange={(event) => {
          controls.choose(kind, event.currentTarget.value);
        }}
      >
        {list.map((device, index) => (
          <option key={device.deviceId} value={device.deviceId}>
            {device.label || deviceWords.unnamed(deviceWords[kind], index + 1)}
          </option>
        ))}
      </select>
    </div>
  );
}

/** Which microphone, camera and loudspeaker, where there is a choice. */
export function DevicePicker({ live, controls }: { live: Live; controls: Controls }) {
  const { devices, microphone, camera } = live.get();
  const choice =
    devices.microphones.length > 1 || devices.cameras.length > 1 || devices.canSelectOutput;
  if (!choice) return null;
  return (
    <details class="picker">
      <summary>{deviceWords.settings}</summary>
      <div class="stack">
        <Pick
          kind="microphone"
          list={devices.microphones}
          current={microphone.deviceId}
          controls={controls}
        />
        <Pick kind="camera" list={devices.cameras} current={camera.deviceId} controls={controls} />
        {devices.canSelectOutput && (
          <Pick kind="speaker" list={devices.speakers} current={undefined} controls={controls} />
        )}
      </div>
    </details>
  );
}
