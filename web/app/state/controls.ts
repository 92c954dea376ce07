/** What the person's own microphone and camera buttons say and do, on every page. */
import { computed, signal, type ReadonlySignal } from '@preact/signals';
import { troubleOf, type DeviceTrouble } from './devices';
import type { Live } from './live';
import type { Place } from '../words/devices';

export interface Controls {
  readonly microphone: ReadonlySignal<boolean>;
  readonly camera: ReadonlySignal<boolean>;
  readonly canFlip: ReadonlySignal<boolean>;
  readonly mirrored: ReadonlySignal<boolean>;
  /** something is wrong with a device that the person wanted */
  readonly trouble: ReadonlySignal<DeviceTrouble | undefined>;
  /** the trouble as long as nobody has put it aside */
  readonly unseen: ReadonlySignal<DeviceTrouble | undefined>;
  toggleMicrophone: () => void;
  toggleCamera: () => void;
  flip: () => void;
  choose: (kind: 'microphone' | 'camera' | 'speaker', deviceId: string) => void;
  /** Opens both, with one prompt where one is needed. */
  open: (want: { audio: boolean; video: boolean }) => Promise<void>;
  tryAgain: () => Promise<void>;
  putAside: () => void;
}

export function createControls({ visit, read }: Live, place: Place): Controls {
  const aside = signal<string | undefined>(undefined);
  const trouble = read(({ microphone, camera }) => troubleOf(microphone, camera, place));
  const key = computed(() => trouble.value && `${trouble.value.code} ${trouble.value.title}`);
  // A device that fails shows in its state; the promise says the same again.
  const shown = (work: Promise<void>): Promise<void> => work.catch(() => undefined);
  const again = () => {
    aside.value = undefined;
  };
  return {
    microphone: read(({ microphone }) => microphone.state === 'on' && !microphone.muted),
    camera: read(({ camera }) => camera.state === 'on' || camera.state === 'starting'),
    canFlip: read(({ camera }) => camera.canFlip),
    mirrored: read(({ camera }) => camera.facing !== 'environment'),
    trouble,
    unseen: computed(() => (key.value === aside.value ? undefined : trouble.value)),
    toggleMicrophone() {
      again();
      const { microphone } = visit;
      if (microphone.state !== 'on') void shown(microphone.enable());
      else if (microphone.muted) microphone.unmute();
      else microphone.mute();
    },
    toggleCamera() {
      again();
      if (visit.camera.state === 'on' || visit.camera.state === 'starting') visit.camera.disable();
      else void shown(visit.camera.enable());
    },
    flip() {
      void shown(visit.camera.flip());
    },
    choose(kind, deviceId) {
      if (kind === 'speaker') void shown(visit.selectOutput(deviceId));
      else void shown(visit[kind].select(deviceId));
    },
    open(want) {
      again();
      return shown(visit.preview(want));
    },
    tryAgain() {
      again();
      const on = (state: string) => state !== 'off';
      return shown(
        visit.preview({ audio: on(visit.microphone.state), video: on(visit.camera.state) }),
      );
    },
    putAside() {
      aside.value = key.value;
    },
  };
}
