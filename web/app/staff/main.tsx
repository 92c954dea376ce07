/** Starts the clinician's page. */
import { effect } from '@preact/signals';
import { render } from 'preact';
import { createVisit } from '../../client/index';
import { pathOf, readAddress } from '../state/address';
import { placeOf } from '../state/devices';
import { wouldPrompt } from '../state/permission';
import { loadWorkplaces, saveWorkplaces } from '../state/workplaces';
import { staffWords } from '../words/staff';
import { press } from './keys';
import { createOffice } from './office';
import { StaffPage } from './StaffPage';

const { token, handle, room } = readAddress(location);
const visit = createVisit({
  device: 'desktop',
  ...(token === undefined ? {} : { token }),
  ...(handle === undefined ? {} : { handle }),
  ...(room === undefined ? {} : { room }),
});
const ticker = new Worker(new URL('./ticker.worker.ts', import.meta.url), { type: 'module' });

const office = createOffice(visit, {
  place: placeOf(navigator.userAgent, navigator.maxTouchPoints),
  store: localStorage,
  wouldPrompt,
  opened(joined) {
    const path = pathOf(joined.kind, joined.handle);
    // A patient's or guest's link that was opened here belongs to the other page.
    if (joined.kind === 'seat') location.replace(path);
    else {
      saveWorkplaces(localStorage, joined);
      history.replaceState(null, '', path);
    }
  },
  loadWorkplaces: () => loadWorkplaces(localStorage, visit.handle ?? ''),
  pathTo: (to) => pathOf('staff', visit.handle ?? '', to),
  everySecond(fn) {
    ticker.addEventListener('message', fn);
  },
  reload: () => {
    location.reload();
  },
});

effect(() => {
  const clinic = office.live.get().view?.clinic.name ?? staffWords.room;
  document.title = staffWords.title(office.desk.waiting.value.count, clinic);
});

// The first click or key of any kind lets the page make sounds.
for (const event of ['pointerdown', 'keydown'] as const) {
  addEventListener(event, () => {
    if (!office.sound.value) office.startSound();
  });
}

addEventListener('keydown', (event) => {
  const target = event.target instanceof Element ? event.target : document.body;
  const done = press(office, {
    key: event.key,
    modified: event.ctrlKey || event.altKey || event.metaKey,
    typing: target.matches('input:not([type=radio], [type=checkbox]), select, textarea'),
    onControl: target.matches('button, a, summary, input'),
  });
  // Else the letter would be typed into the field that it opens.
  if (done) event.preventDefault();
});
addEventListener('hashchange', () => {
  location.reload();
});

const root = document.getElementById('app');
if (root !== null) render(<StaffPage office={office} />, root);
void office.start();
