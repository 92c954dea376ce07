/** The patient's and guest's page as signals and actions; the components only draw it. */
import { computed, effect, signal, type ReadonlySignal } from '@preact/signals';
import type { Joined, Visit } from '../../client/index';
import { createConversation, type Conversation } from '../state/chat';
import type { Choices } from '../state/choices';
import { clockOf } from '../state/clock';
import { createControls, type Controls } from '../state/controls';
import { lineOf, type Line } from '../state/line';
import { live, type Live } from '../state/live';
import { linkProblem } from '../state/problem';
import { joinHow, screenOf, type Screen } from '../state/patient';
import { waitOf, type Wait } from '../state/wait';
import type { Place } from '../words/devices';
import { pageTitle } from '../words/join';
import type { LinkProblem } from '../words/problems';

/** What the page's surroundings do for it; a test brings its own. */
export interface Surroundings {
  place: Place;
  /** the link as it was opened, to copy it into another browser; undefined after a refresh */
  link: string | undefined;
  wouldPrompt: () => Promise<boolean>;
  opened: (joined: Joined) => void;
  loadChoices: () => Choices | undefined;
  saveChoices: (choices: Choices) => void;
  vibrate: () => void;
  reload: () => void;
}

export interface Session {
  readonly live: Live;
  readonly controls: Controls;
  readonly talk: Conversation;
  readonly screen: ReadonlySignal<Screen>;
  /** what the tab says, also to who looks at another one */
  readonly title: ReadonlySignal<string>;
  readonly problem: ReadonlySignal<LinkProblem | undefined>;
  readonly clock: ReadonlySignal<number>;
  readonly line: ReadonlySignal<Line>;
  readonly wait: ReadonlySignal<Wait | undefined>;
  readonly how: ReadonlySignal<'both' | 'sound' | 'picture' | 'chat'>;
  readonly joining: ReadonlySignal<boolean>;
  readonly link: string | undefined;
  start: () => Promise<void>;
  check: () => void;
  back: () => void;
  join: () => void;
  joinSound: () => void;
  joinChat: () => void;
  leave: () => void;
  comeBack: () => void;
  takeOver: () => void;
  resume: () => void;
  reload: () => void;
}

export function createSession(visit: Visit, around: Surroundings): Session {
  const line = live(visit);
  const controls = createControls(line, around.place);
  const problem = signal<LinkProblem | undefined>(undefined);
  const previewing = signal<boolean | undefined>(undefined);
  const left = signal(false);
  const joining = signal(false);

  const screen = line.read(({ closed, view }) =>
    screenOf({
      problem: problem.value,
      closed: closed?.code,
      seat: view?.me.state,
      phase: view?.visit?.phase,
      previewing: previewing.value,
      left: left.value,
    }),
  );
  const place = computed(() => screen.value);

  async function start(): Promise<void> {
    problem.value = undefined;
    try {
      // After a refresh the cookie of the handle is enough.
      if (visit.handle === undefined) around.opened(await visit.open());
    } catch (error) {
      problem.value = linkProblem(error);
      return;
    }
    // Read before the page is inside again and keeps what is on then, which is nothing yet.
    const choices = around.loadChoices();
    await connect(false);
    await settleIn(choices);
  }

  /** Opens what can be opened without a prompt: the preview, or after a refresh what was on before. */
  async function settleIn(choices: Choices | undefined): Promise<void> {
    const prompts = await around.wouldPrompt();
    previewing.value ??= !prompts;
    if (inside(screen.value)) {
      // Where a browser wants a tap first, the page asks for one.
      void visit.startAudio().catch(() => undefined);
      if (!prompts && choices !== undefined) await controls.open(choices);
    } else if (screen.value === 'preview') {
      await controls.open(both);
    }
  }

  // Why it could not connect is in visit.closed; everything else it tries again by itself.
  const connect = (takeover: boolean) => visit.connect({ takeover }).catch(() => undefined);

  /** In a tap: sound, screen and seat at once, so that admission needs no other tap. */
  async function enter(devices?: Choices): Promise<void> {
    if (joining.value) return;
    joining.value = true;
    const sound = visit.startAudio().catch(() => undefined);
    visit.keepAwake(true);
    // Whoever joins in spite of a notice has read it.
    controls.putAside();
    try {
      if (devices !== undefined) await controls.open(devices);
      if (devices?.audio === true && controls.trouble.value !== undefined) {
        previewing.value = true;
        return;
      }
      await sound;
      await visit.checkIn();
      left.value = false;
    } catch {
      // Refused means over, removed or closed: the view says so and the page shows it.
    } finally {
      joining.value = false;
    }
  }

  visit.on('admitted', () => {
    visit.chime('admitted');
    around.vibrate();
  });
  effect(() => {
    if (!inside(place.value)) return;
    around.saveChoices({ audio: controls.microphone.value, video: controls.camera.value });
  });
  effect(() => {
    visit.keepAwake(inside(place.value));
  });

  return {
    live: line,
    controls,
    talk: createConversation(line, () => undefined),
    screen: place,
    title: line.read(({ view }) => pageTitle(place.value, view?.clinic.name, view?.queue?.ahead)),
    problem,
    clock: clockOf(visit),
    line: line.read((now) => lineOf(now.state, now.link, now.view?.me.state === 'admitted')),
    wait: line.read(({ view }) => view && waitOf(view)),
    how: computed(() => joinHow(controls.microphone.value, controls.camera.value)),
    joining,
    link: around.link,
    start,
    check() {
      previewing.value = true;
      void controls.open(both);
    },
    back() {
      previewing.value = false;
      visit.camera.disable();
      visit.microphone.disable();
    },
    join: () => void enter(),
    joinSound() {
      visit.camera.disable();
      void enter(controls.microphone.value ? undefined : { audio: true, video: false });
    },
    joinChat() {
      visit.camera.disable();
      visit.microphone.disable();
      void enter({ audio: false, video: false });
    },
    leave() {
      left.value = true;
      visit.camera.disable();
      visit.microphone.disable();
      visit.leave().catch(() => undefined);
    },
    comeBack() {
      left.value = false;
      around.reload();
    },
    takeOver() {
      void visit.startAudio().catch(() => undefined);
      const choices = around.loadChoices() ?? both;
      void connect(true).then(() => {
        if (inside(screen.value)) void controls.open(choices);
        else void settleIn(choices);
      });
    },
    resume() {
      void visit.startAudio().catch(() => undefined);
      void visit.resumeMedia().catch(() => undefined);
    },
    reload: () => {
      around.reload();
    },
  };
}

const both: Choices = { audio: true, video: true };

const inside = (screen: Screen): boolean =>
  screen === 'waiting' || screen === 'visit' || screen === 'held';
