/** Waiting on states, never on time. */
import { setTimeout as pause } from 'node:timers/promises';

const pollMS = 50;

/**
 * Asks until the answer is truthy, and returns it. An answer that throws counts as not yet.
 *
 * @template T
 * @param {string} what is waited for, for the message
 * @param {() => Promise<T> | T} ask
 * @param {{ within?: number, tell?: () => unknown }} [options] milliseconds; what to say of the last look
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(what, ask, { within = 15_000, tell } = {}) {
  const deadline = Date.now() + within;
  let last;
  for (;;) {
    try {
      const answer = await ask();
      if (answer) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) break;
    await pause(pollMS);
  }
  const seen = tell ? JSON.stringify(await tell()) : String(last);
  throw new Error(`not within ${within} ms: ${what} (last: ${seen})`);
}
