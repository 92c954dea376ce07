/** Everything the clinician's page shows, put together. */
import { computed, effect, signal, type ReadonlySignal } from '@preact/signals';
import type { Joined, Visit } from '../../client/index';
import { createConversation, type Conversation } from '../state/chat';
import { clockOf } from '../state/clock';
import { createControls, type Controls } from '../state/controls';
import { lineOf, type Line } from '../state/line';
import { live, type Live } from '../state/live';
import { createTasks, type Tasks } from '../state/tasks';
import { linkProblem } from '../state/problem';
import type { Workplaces } from '../state/workplaces';
import type { Place } from '../words/devices';
import type { LinkProblem } from '../words/problems';
import { staffWords } from '../words/staff';
import { createChime, type Chime } from './chime';
import { createDesk, type Desk } from './desk';
import { createRoom, type Room } from './room';
import { createThreads, type Threads } from './threads';

export interface Surroundings {
  place: Place;
  store: Pick<Storage, 'getItem' | 'setItem'>;
  wouldPrompt: () => Promise<boolean>;
  opened: (joined: Joined) => void;
  /** the rooms that the link named when it was opened */
  loadWorkplaces: () => Workplaces;
  pathTo: (room: string) => string;
  everySecond: (fn: () => void) => void;
  reload: () => void;
}

type Workplace = Workplaces[number] & { path: string };

export interface Office {
  readonly live: Live;
  readonly controls: Controls;
  readonly tasks: Tasks;
  readonly desk: Desk;
  readonly room: Room;
  readonly chime: Chime;
  readonly talk: Conversation;
  readonly threads: Threads;
  /** the waiting rooms they work in, this one included, and where each is */
  readonly workplaces: ReadonlySignal<readonly Workplace[]>;
  readonly clock: ReadonlySignal<number>;
  readonly line: ReadonlySignal<Line>;
  readonly problem: ReadonlySignal<LinkProblem | undefined>;
  /** camera and microphone wait for a tap, because opening them would show a prompt */
  readonly asksForDevices: ReadonlySignal<boolean>;
  /** the page may make sounds */
  readonly sound: ReadonlySignal<boolean>;
  /** tablets: the waiting room lies over the visit */
  readonly drawer: ReadonlySignal<boolean>;
  readonly singleKeys: ReadonlySignal<boolean>;
  /** who has just arrived, for a screen reader */
  readonly arrival: ReadonlySignal<string>;
  /** grows each time the person asks for the field of the visit's chat */
  readonly writes: ReadonlySignal<number>;
  write: () => void;
  openDevices: () => void;
  startSound: () => void;
  resumeMedia: () => void;
  showDrawer: (on: boolean) => void;
  useSingleKeys: (on: boolean) => void;
  start: () => Promise<void>;
  takeOver: () => void;
  reload: () => void;
}

const keysKey = 'anteroom.keys';

export function createOffice(visit: Visit, around: Surroundings): Office {
  const line = live(visit);
  const controls = createControls(line, around.place);
  const tasks = createTasks();
  const desk = createDesk(line, tasks);
  const room = createRoom(line, tasks);
  const problem = signal<LinkProblem | undefined>(undefined);
  const asks = signal(false);
  const drawer = signal(false);
  const singleKeys = signal(around.store.getItem(keysKey) !== 'off');
  const inVisit = computed(() => room.visit.value !== undefined);
  const clock = clockOf(visit);
  const arrival = signal('');
  const writes = signal(0);

  const connect = (takeover: boolean) => visit.connect({ takeover }).catch(() => undefined);
  const startSound = () => void visit.startAudio().catch(() => undefined);
  const open = () => {
    asks.value = false;
    return controls.open({ audio: true, video: true });
  };

  visit.on('arrived', ({ name }) => {
    arrival.value = staffWords.arrivedNow(name);
  });
  effect(() => {
    visit.keepAwake(inVisit.value);
    drawer.value = false;
  });

  return {
    live: line,
    controls,
    tasks,
    desk,
    room,
    chime: createChime(visit, {
      waiting: computed(() => desk.waiting.value.count),
      inVisit,
      store: around.store,
      everySecond: around.everySecond,
    }),
    talk: createConversation(line, () => {
      const id = room.visit.value?.id;
      return { visit: id ?? '' };
    }),
    workplaces: line.read(({ view, joined }) =>
      // The address of this page is known once the server has said who it is.
      view === undefined
        ? []
        : (joined?.rooms ?? around.loadWorkplaces()).map((room) => ({
            ...room,
            path: around.pathTo(room.id),
          })),
    ),
    clock,
    line: line.read((now) => lineOf(now.state, now.link, now.view?.me.state === 'admitted')),
    problem,
    asksForDevices: asks,
    sound: line.read(({ audioPlayback }) => audioPlayback === 'playing'),
    drawer,
    singleKeys,
    threads: createThreads(line),
    arrival,
    writes,
    write() {
      writes.value += 1;
    },
    openDevices() {
      startSound();
      void open();
    },
    startSound,
    resumeMedia() {
      startSound();
      void visit.resumeMedia().catch(() => undefined);
    },
    showDrawer(on) {
      drawer.value = on;
    },
    useSingleKeys(on) {
      singleKeys.value = on;
      around.store.setItem(keysKey, on ? 'on' : 'off');
    },
    async start() {
      problem.value = undefined;
      try {
        if (visit.handle === undefined) around.opened(await visit.open());
      } catch (error) {
        problem.value = linkProblem(error);
        return;
      }
      startSound();
      const [, prompts] = await Promise.all([connect(false), around.wouldPrompt()]);
      if (prompts) asks.value = true;
      else await open();
    },
    takeOver: () => void connect(true),
    reload: () => {
      around.reload();
    },
  };
}
