/** What the page around us is: its tab, its kind of screen, and when a person comes back to it. */
import type { Device } from './wire.gen';

/** Narrower than any tablet. */
const phonePx = 600;
const tabKey = 'anteroom.tab';

export function defaultDevice(): Device {
  const coarse = matchMedia('(pointer: coarse)').matches;
  return coarse && Math.min(screen.width, screen.height) < phonePx ? 'phone' : 'desktop';
}

/** 32 characters of `0-9 a-f`. */
export function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}

/** The same over a refresh, so that the server knows us from a second tab. */
export function tabId(storeOf: () => Pick<Storage, 'getItem' | 'setItem'>): string {
  const fresh = randomId();
  try {
    // Where storage is switched off even to name it throws: then each load is a tab of its own.
    const store = storeOf();
    const kept = store.getItem(tabKey);
    if (kept) return kept;
    store.setItem(tabKey, fresh);
  } catch {
    return fresh;
  }
  return fresh;
}

/** Signaling lives where the page came from. */
export function signalURL(origin: string): string {
  return `${origin.replace(/^http/, 'ws')}/v1/signal`;
}

export interface ReturnHooks {
  /** visible, focused or online again */
  returned: () => void;
  /** out of the back-forward cache: sockets and tracks are gone */
  restored: () => void;
  /** visible or hidden */
  visibility: () => void;
}

/**
 * Listens for the person's return. There is no handler for going away: a hidden, frozen or left page
 * keeps its seat and its tracks, and the server sees by itself when it is silent.
 */
export function watchReturns(hooks: ReturnHooks, signal: AbortSignal): void {
  const listening = { signal };
  document.addEventListener(
    'visibilitychange',
    () => {
      hooks.visibility();
      if (document.visibilityState === 'visible') hooks.returned();
    },
    listening,
  );
  addEventListener(
    'pageshow',
    ({ persisted }) => {
      if (persisted) hooks.restored();
    },
    listening,
  );
  addEventListener('online', hooks.returned, listening);
  addEventListener('focus', hooks.returned, listening);
}
