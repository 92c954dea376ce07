/**
 * Keeps the screen on. Browsers take the lock away with every hiding, and some give it only in a tap,
 * so we ask again on both.
 */
export class WakeLock {
  #wanted = false;
  #lock: WakeLockSentinel | undefined;
  #asking = false;

  set(on: boolean): void {
    this.#wanted = on;
    if (on) void this.ask();
    else this.#release();
  }

  /** Also called when the page becomes visible and at taps. */
  async ask(): Promise<void> {
    if (!this.#wanted || this.#asking || this.#lock?.released === false) return;
    if (!('wakeLock' in navigator) || document.visibilityState !== 'visible') return;
    this.#asking = true;
    try {
      this.#lock = await navigator.wakeLock.request('screen');
      // Switched off while the browser thought about it.
      if (!this.isWanted()) this.#release();
    } catch {
      // Low battery or no tap: the next tap asks again.
    } finally {
      this.#asking = false;
    }
  }

  isWanted(): boolean {
    return this.#wanted;
  }

  #release(): void {
    void this.#lock?.release().catch(() => undefined);
    this.#lock = undefined;
  }
}
