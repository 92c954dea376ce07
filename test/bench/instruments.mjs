/** Reading the stopwatches of pages. */
import { until } from '../e2e/harness/until.mjs';

/** @typedef {import('../e2e/harness/person.mjs').Person} Person */

/** When this person clicked last. @param {Person} person @returns {Promise<number>} */
export function clickedAt(person) {
  return person.page.evaluate(() => /** @type {any} */ (window).times.clicked);
}

/** When this person was seen to wait. @param {Person} person @returns {Promise<number>} */
export function waitingAt(person) {
  return person.page.evaluate(() => /** @type {any} */ (window).times.marks.waiting);
}

/**
 * How long it took from a time to the first picture or sound of somebody else, once it has come.
 *
 * @param {Person} person
 * @param {'decoded' | 'frames' | 'sounds'} what
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
      return {
        preview: since(preview),
        waiting: since(waiting),
        connected: since(connected),
      };
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

/**
 * From the link to the waiting room, for people whose browser has allowed camera and microphone.
 *
 * @param {import('../e2e/harness/visitor.mjs').Visitor} visitor
 * @param {import('../e2e/harness/clinic.mjs').Seat} seat
 */
export async function arrive(visitor, seat) {
  await visitor.open(seat);
  await visitor.atScreen('preview');
  await visitor.previewRuns();
  await visitor.join();
}

/** @param {import('../e2e/harness/clinician.mjs').Clinician} clinician @param {string} link */
export async function sitDown(clinician, link) {
  await clinician.page.goto(link);
  await clinician.connected();
}

/**
 * A phone's screen at one pixel a point. With the three of a real one a machine without a graphics
 * processor spends its time on drawing.
 */
export const phone = {
  viewport: { width: 393, height: 659 },
  deviceScaleFactor: 1,
  isMobile: true,
  hasTouch: true,
};
