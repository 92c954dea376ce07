/** The arrival sound: once for each arrival, and again while somebody waits. */
import { effect, signal, type ReadonlySignal } from '@preact/signals';
import type { Visit } from '../../client/index';

export const chimeSettings = ['repeat', 'once', 'off'] as const;
type ChimeSetting = (typeof chimeSettings)[number];

const repeatMs = 20_000;
const storeKey = 'anteroom.chime';

interface Around {
  waiting: ReadonlySignal<number>;
  /** in a visit the sound comes once for each arrival and is not repeated */
  inVisit: ReadonlySignal<boolean>;
  store: Pick<Storage, 'getItem' | 'setItem'>;
  /** calls back every second, in a background tab too */
  everySecond: (fn: () => void) => void;
}

export interface Chime {
  readonly setting: ReadonlySignal<ChimeSetting>;
  choose: (setting: ChimeSetting) => void;
}

export function createChime(visit: Pick<Visit, 'on' | 'chime'>, around: Around): Chime {
  const saved = around.store.getItem(storeKey);
  const setting = signal<ChimeSetting>(chimeSettings.find((one) => one === saved) ?? 'repeat');
  /** in a clock that nobody sets, or a clock set back would silence it; Infinity while nobody waits */
  let last = Infinity;
  const sound = () => {
    last = performance.now();
    visit.chime('arrival');
  };
  visit.on('arrived', () => {
    if (setting.value !== 'off') sound();
  });
  effect(() => {
    if (around.waiting.value === 0) last = Infinity;
    else if (last === Infinity) last = performance.now();
  });
  around.everySecond(() => {
    const due = performance.now() - last >= repeatMs;
    if (due && setting.value === 'repeat' && !around.inVisit.value) sound();
  });
  return {
    setting,
    choose(next) {
      setting.value = next;
      around.store.setItem(storeKey, next);
    },
  };
}
