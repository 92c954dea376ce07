import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Live } from '../state/live';
import type { Controls } from '../state/controls';
import { deviceWords } from '../words/devices';
import { Icon } from '../ui/Icon';

/** The own picture, mirrored as in a mirror unless it is the back camera's. */
export function SelfVideo({ live, controls }: { live: Live; controls: Controls }) {
  const element = useRef<HTMLVideoElement>(null);
  const { camera } = live.visit;
  useLayoutEffect(() => {
    if (element.current !== null) return camera.attach(element.current);
    return undefined;
  }, [camera]);
  const on = controls.camera.value;
  return (
    <div class="self">
      <video
        ref={element}
        class={controls.mirrored.value ? 'mirrored' : ''}
        data-testid="self-video"
        aria-label={deviceWords.camera}
        muted
        playsInline
      />
      {!on && (
        <p class="self-off">
          <Icon name="cameraOff" />
          <span>{deviceWords.cameraOff}</span>
        </p>
      )}
    </div>
  );
}
