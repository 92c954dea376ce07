/**
 * How long two people of a visit do not see each other when the server that carries it is stopped in good order, in
 * Chromium: three servers on one Redis behind a balancer; SIGTERM to the waiting room's owner, then the longest time
 * without a new frame on the screen until it has ended and a second more, at both. Beside it the longest such
 * time in as long before. `node test/bench/drain.mjs [N]` stops N times, 10 if left out.
 */
import { setTimeout } from 'node:timers/promises';
import { framesOf, liveVisit, steady } from './livevisit.mjs';
import { print, summary } from './summary.mjs';

const rounds = Number(process.argv[2] ?? 10);
const afterMS = 1000;

const visit = await liveVisit();

/**
 * The longest time without a frame between two times. Frames that the page was told of together came one after the other.
 *
 * @param {typeof visit.people[0]} person
 * @param {number} from
 * @param {number} to
 */
async function longestGap(person, from, to) {
  const frames = (await framesOf(person, from)).filter(({ at }) => at <= to);
  const gaps = frames.map(({ at, count }, i) => {
    const before = frames[i - 1];
    return before ? (at - before.at) / Math.max(count - before.count, 1) : at - from;
  });
  return Math.round(Math.max(...gaps, to - (frames.at(-1)?.at ?? from)));
}

/** @type {Record<'during' | 'before', number[]>} */
const gaps = { during: [], before: [] };
let lostSeats = 0;
for (let round = 0; round < rounds; round += 1) {
  await steady(visit.people);
  const owner = await visit.cluster.owner();
  const from = Date.now();
  await owner.terminate();
  await setTimeout(afterMS);
  const to = Date.now();
  for (const person of visit.people) {
    gaps.during.push(await longestGap(person, from, to));
    gaps.before.push(await longestGap(person, 2 * from - to, from));
  }
  await owner.restart();
  lostSeats += await visit.lost();
}
await visit.close();

print('longest time without a frame while the owner stops', gaps.during);
print('the same before it stops', gaps.before);
console.log(
  JSON.stringify({
    bench: 'drain-chromium',
    n: rounds,
    gap_ms: summary(gaps.during),
    before_ms: summary(gaps.before),
    lost_seats: lostSeats,
  }),
);
