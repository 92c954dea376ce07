import { createVisit } from '/lib/anteroom.js';

const visit = createVisit({ token: location.hash.slice(1) });
document.querySelector('button').onclick = async () => {
  await visit.startAudio(); // in the tap, so that admission needs no other
  await visit.preview({ audio: true, video: true });
  await visit.connect();
  await visit.checkIn();
};
visit.on('viewChanged', ({ me }) => (document.querySelector('p').textContent = me.state));
let shown;
visit.subscribe(() => {
  const other = visit.participants.find((person) => !person.me)?.video;
  if (other !== shown) other?.attach(document.querySelector('video'));
  shown = other;
});
