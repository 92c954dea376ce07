import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { Controls } from '../state/controls';
import type { Live } from '../state/live';
import { Icon } from '../ui/Icon';
import { stageWords } from '../words/stage';
import { SelfVideo } from './SelfVideo';

const corners = ['end-bottom', 'end-top', 'start-top', 'start-bottom'] as const;

/** The own picture in a corner of the stage: moved by button or by drag, or put away. */
export function SelfCorner({ live, controls }: { live: Live; controls: Controls }) {
  const corner = useSignal(0);
  const away = useSignal(false);
  const box = useRef<HTMLDivElement>(null);
  if (away.value) {
    return (
      <button type="button" class="self-return" onClick={() => (away.value = false)}>
        <Icon name="person" />
        {stageWords.showSelf}
      </button>
    );
  }
  return (
    <div
      ref={box}
      class={`self-corner ${corners[corner.value % 4] ?? ''}`}
      onPointerDown={(event) => {
        if (event.target instanceof HTMLVideoElement)
          box.current?.setPointerCapture(event.pointerId);
      }}
      onPointerUp={(event) => {
        if (box.current?.hasPointerCapture(event.pointerId) !== true) return;
        corner.value = nearest(box.current, event.clientX, event.clientY);
      }}
    >
      <SelfVideo live={live} controls={controls} />
      <span class="self-buttons">
        <button
          type="button"
          aria-label={stageWords.moveSelf}
          title={stageWords.moveSelf}
          onClick={() => (corner.value = (corner.value + 1) % 4)}
        >
          <Icon name="move" />
        </button>
        <button
          type="button"
          aria-label={stageWords.hideSelf}
          title={stageWords.hideSelf}
          onClick={() => (away.value = true)}
        >
          <Icon name="close" />
        </button>
      </span>
    </div>
  );
}

/** The corner of the stage that is nearest to where the picture was let go. */
function nearest(box: HTMLElement, x: number, y: number): number {
  const area = box.offsetParent?.getBoundingClientRect();
  if (area === undefined) return 0;
  const rtl = getComputedStyle(box).direction === 'rtl';
  const end = x > area.left + area.width / 2 !== rtl;
  const bottom = y > area.top + area.height / 2;
  return corners.indexOf(`${end ? 'end' : 'start'}-${bottom ? 'bottom' : 'top'}`);
}
