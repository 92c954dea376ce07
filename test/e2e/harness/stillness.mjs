/** Proof that nothing moves: counted over a stretch that other packets measure, not over time. */
import { until } from './until.mjs';

/** Looks at the same count; the browser refreshes its statistics about as often as we look. */
const enough = 20;

/**
 * No media leaves or reaches a person. The stretch begins once the counts stand still, because what
 * was on its way may still arrive, and ends when the browser has refreshed its statistics several times.
 *
 * @param {import('./person.mjs').Person} person
 */
export async function stillness(person) {
  const look = async () => {
    const { sent, received } = await person.traffic();
    return { sent, received };
  };
  let last = await look();
  let same = 0;
  await until(
    `nothing passes to or from ${person.name}`,
    async () => {
      const now = await look();
      same = now.sent === last.sent && now.received === last.received ? same + 1 : 0;
      last = now;
      return same >= enough;
    },
    { tell: () => last },
  );
}
