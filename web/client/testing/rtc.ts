/** RTCPeerConnection and Worker as far as the library uses them, driven by the test. */
import type { FromWorker, ToWorker } from '../worker/frames';
import { FakeTrack } from './media';

export class FakeSender {
  readonly kind: 'audio' | 'video';
  track: MediaStreamTrack | null = null;
  /** set when a gate is in front of it */
  transform: unknown = undefined;
  /** what was attached, in order */
  readonly attached: (MediaStreamTrack | null)[] = [];

  constructor(kind: 'audio' | 'video') {
    this.kind = kind;
  }

  replaceTrack(track: MediaStreamTrack | null): Promise<void> {
    this.track = track;
    this.attached.push(track);
    return Promise.resolve();
  }
}

export class FakePeerConnection extends EventTarget {
  static all: FakePeerConnection[] = [];
  connectionState: RTCPeerConnectionState = 'new';
  localDescription: { sdp: string } | null = null;
  answer: string | undefined;
  /** whether the senders had their gates when the offer was made */
  gatedAtOffer: boolean | undefined;
  readonly senders: FakeSender[] = [];
  readonly directions: string[] = [];
  /** of the receivers: nothing comes for them before the test says so */
  readonly incoming: FakeTrack[] = [];

  constructor() {
    super();
    FakePeerConnection.all.push(this);
  }

  static get last(): FakePeerConnection {
    const pc = FakePeerConnection.all.at(-1);
    if (!pc) throw new Error('no peer was made');
    return pc;
  }

  addTransceiver(kind: 'audio' | 'video', { direction }: { direction: string }) {
    const sender = new FakeSender(kind);
    this.directions.push(`${kind} ${direction}`);
    const track = new FakeTrack(kind);
    if (direction === 'sendonly') this.senders.push(sender);
    else {
      track.muted = true;
      this.incoming.push(track);
    }
    return {
      sender,
      receiver: { track },
      setCodecPreferences: () => undefined,
    };
  }

  setLocalDescription(): Promise<void> {
    if (this.connectionState === 'closed') return Promise.reject(new Error('closed'));
    this.gatedAtOffer = this.senders.every(({ transform }) => transform !== undefined);
    this.localDescription = { sdp: `offer ${FakePeerConnection.all.indexOf(this)}` };
    return Promise.resolve();
  }

  setRemoteDescription({ sdp }: { sdp: string }): Promise<void> {
    this.answer = sdp;
    return Promise.resolve();
  }

  close(): void {
    this.connectionState = 'closed';
  }

  becomes(state: RTCPeerConnectionState): void {
    this.connectionState = state;
    this.dispatchEvent(new Event('connectionstatechange'));
  }
}

export class FakeWorker {
  static all: FakeWorker[] = [];
  onmessage: ((event: { data: FromWorker }) => void) | null = null;
  onerror: (() => void) | null = null;
  readonly told: ToWorker[] = [];
  terminated = false;

  constructor() {
    FakeWorker.all.push(this);
  }

  static get last(): FakeWorker {
    const worker = FakeWorker.all.at(-1);
    if (!worker) throw new Error('no worker was started');
    return worker;
  }

  postMessage(message: ToWorker): void {
    this.told.push(message);
  }

  terminate(): void {
    this.terminated = true;
  }

  says(data: FromWorker): void {
    this.onmessage?.({ data });
  }
}

/** A worker that is ready as soon as somebody listens. */
export class ReadyWorker extends FakeWorker {
  constructor() {
    super();
    queueMicrotask(() => this.says({ tell: 'ready' }));
  }
}
