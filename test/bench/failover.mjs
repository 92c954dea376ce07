/**
 * How long two people of a visit do not see each other when the server that carries it is killed, in Chromium:
 * three servers on one Redis behind a balancer; kill -9 of the waiting room's owner, from the kill to the first
 * frame on the screen after the gap, at both. `node test/bench/failover.mjs [N]` kills N times, 10 if left out.
 */
import { until } from '../e2e/harness/until.mjs';
import { framesOf, liveVisit, steady } from './livevisit.mjs';
import { print, summary } from './summary.mjs';

const rounds = Number(process.argv[2] ?? 10);
/** What is between two frames at the least, for it to be the gap and not a browser that is late. */
const gapMS = 150;

const visit = await liveVisit();

/** The first frame on somebody's screen after the gap that follows a time. @param {typeof visit.people[0]} person @param {number} since */
async function seesAgain(person, since) {
  const at = await until(`${person.name} sees again`, async () => {
    const frames = await framesOf(person, since - 100);
    return frames.find(({ at }, i) => at > since && at - (frames[i - 1]?.at ?? 0) > gapMS)?.at;
  });
  return at - since;
}

/** @type {number[]} */
const all = [];
let lostSeats = 0;
for (let round = 0; round < rounds; round += 1) {
  await steady(visit.people);
  const owner = await visit.cluster.owner();
  const since = Date.now();
  await owner.kill();
  all.push(...(await Promise.all(visit.people.map((person) => seesAgain(person, since)))));
  await owner.restart();
  lostSeats += await visit.lost();
}
await visit.close();

print('kill of the owner to the next frame on the screen', all);
console.log(
  JSON.stringify({
    bench: 'failover-chromium',
    n: rounds,
    frame_ms: summary(all),
    lost_seats: lostSeats,
  }),
);
