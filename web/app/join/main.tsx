/** Starts the patient's and guest's page. */
import { effect } from '@preact/signals';
import { render } from 'preact';
import { createVisit } from '../../client/index';
import { pathOf, readAddress } from '../state/address';
import { loadChoices, saveChoices } from '../state/choices';
import { placeOf } from '../state/devices';
import { wouldPrompt } from '../state/permission';
import { JoinPage } from './JoinPage';
import { createSession } from './session';

const { token, handle } = readAddress(location);
const visit = createVisit({
  ...(token === undefined ? {} : { token }),
  ...(handle === undefined ? {} : { handle }),
});

const session = createSession(visit, {
  place: placeOf(navigator.userAgent, navigator.maxTouchPoints),
  link: token === undefined ? undefined : location.href,
  wouldPrompt,
  opened(joined) {
    const path = pathOf(joined.kind, joined.handle);
    // A staff link that was opened here belongs to the other page.
    if (joined.kind === 'staff') location.replace(path);
    else history.replaceState(null, '', path);
  },
  loadChoices: () => loadChoices(sessionStorage, visit.handle ?? ''),
  saveChoices: (choices) => {
    saveChoices(sessionStorage, visit.handle ?? '', choices);
  },
  vibrate: () => {
    // iPhones have none.
    if ('vibrate' in navigator) navigator.vibrate([200, 100, 200]);
  },
  reload: () => {
    location.reload();
  },
});

effect(() => {
  document.title = session.title.value;
});

const root = document.getElementById('app');
if (root !== null) render(<JoinPage session={session} />, root);
void session.start();
addEventListener('hashchange', () => {
  location.reload();
});
