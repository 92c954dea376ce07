/** The namespace of netns.sh, for tests that need a network which is not loopback. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../netns.sh', import.meta.url));

export const namespace = 'anteroom-e2e';
/** Of the server in it. */
export const address = '10.77.0.2';
/** Of the machine, as seen from there. */
export const outside = '10.77.0.1';
/** Its other one, as addresses with a port are written. */
export const address6 = '[fd77::2]';

/**
 * Runs something with the namespace there.
 *
 * @template T
 * @param {() => Promise<T>} work
 */
export async function overWire(work) {
  execFileSync(script, ['down']); // what a killed run left behind
  execFileSync(script, ['up']);
  try {
    return await work();
  } finally {
    execFileSync(script, ['down']);
  }
}
