import { createVisit } from '/lib/anteroom.js';

const visit = createVisit({ token: location.hash.slice(1) });
document.querySelector('button').onclick = async () => {
  await visit.startAudio();
  await visit.preview({ audio: true, video: true });
  await visit.open();
  await visit.connect();
  await visit.checkIn();
};
visit.on('viewChanged', (view) => (document.querySelector('p').textContent = view.me.state));
visit.subscribe(() => {
  const others = visit.participants.filter((person) => !person.me);
  const box = document.querySelector('div');
  while (box.children.length > others.length) box.lastChild.remove();
  others.slice(box.children.length).forEach((person) => {
    const video = Object.assign(document.createElement('video'), {
      muted: true,
      playsInline: true,
    });
    box.append(video);
    person.video.attach(video);
  });
});
