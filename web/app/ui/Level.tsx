import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Live } from '../state/live';
import { deviceWords } from '../words/devices';

const bars = [1, 2, 3, 4, 5, 6];

/** How loud the own microphone is, in six bars and in words. */
export function Level({ live }: { live: Live }) {
  const { microphone } = live.get();
  const lit = useSignal(0);
  const heard = useSignal(false);
  useEffect(() => {
    const timer = setInterval(() => {
      // Speech is seldom louder than a third of the scale, so the root spreads the low end.
      lit.value = Math.round(Math.sqrt(microphone.level) * bars.length);
      if (lit.value >= 2) heard.value = true;
    }, 100);
    return () => {
      clearInterval(timer);
    };
  }, [microphone]);
  const off = microphone.state !== 'on' || microphone.muted;
  const text = off
    ? deviceWords.microphoneOff
    : heard.value
      ? deviceWords.heard
      : deviceWords.speak;
  return (
    <div class="level">
      <span class="level-bars" aria-hidden="true">
        {bars.map((n) => (
          <i key={n} class={!off && lit.value >= n ? 'on' : ''} style={{ '--n': String(n) }} />
        ))}
      </span>
      <span class="note">{text}</span>
    </div>
  );
}
