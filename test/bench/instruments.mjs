/** Reading the stopwatches of pages. */
import { until } from '../e2e/harness/until.mjs';

/** @typedef {import('../e2e/harness/person.mjs').Person} Person */

/** When this person clicked last. @param {Person} person @returns {Promise<number>} */
export function clickedAt(person) {
  return person.page.evaluate(() => /** @type {any} */ (window).times.clicked);
}

/**
 * How long it took from a time to the first picture or sound of somebody else, once it has come.
 *
 * @param {Person} person
 * @param {'frames' | 'sounds'} what
 * @param {number} since
 * @param {{ seat: string }} [of] whose picture, anybody's if left out
 */
export async function firstAfter(person, what, since, of) {
  const look = (
    /** @type {{ what: string, since: number, seat: string | undefined }} */ wanted,
  ) => {
    /** @type {{ seat?: string, at: number }[]} */
    const seen = /** @type {any} */ (window).times[wanted.what];
    return seen.find(({ seat, at }) => at >= wanted.since && (wanted.seat ?? seat) === seat)?.at;
  };
  const at = await until(`${person.name} has ${what}`, () =>
    person.page.evaluate(look, { what, since, seat: of?.seat }),
  );
  return at - since;
}

/**
 * Milliseconds from the opening of the link to the own preview, to 'waiting' and to connected media.
 *
 * @param {Person} person
 */
export async function sinceOpened(person) {
  const read = () =>
    person.page.evaluate(() => {
      const { preview, waiting, connected } = /** @type {any} */ (window).times.marks;
      const since = (/** @type {number} */ time) => time - performance.timeOrigin;
      return { preview: since(preview), waiting: since(waiting), connected: since(connected) };
    });
  return until(
    `${person.name} waits and is connected`,
    async () => {
      const times = await read();
      return Object.values(times).every(Number.isFinite) ? times : undefined;
    },
    { tell: read },
  );
}
