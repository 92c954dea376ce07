/**
 * One WebRTC connection, negotiated once: own audio and camera out, then pairs of slots in. Who is in
 * a slot, and whether anything may leave, comes from the view; nothing is ever renegotiated.
 */
import type { Answer, ICEServer } from '../wire.gen';
import type { Gate } from './gatekeeper';

export type Kind = 'audio' | 'video';

/** Enough for 1024x576 at 30 frames a second. */
const mostVideoBitsPerSecond = 1_500_000;

export interface PeerOptions {
  iceServers: readonly ICEServer[];
  /** slot pairs to offer */
  pairs: number;
  /** undefined where the browser has no encoded transforms */
  gate: Gate | undefined;
  /** its state did, or something has begun to come */
  changed: () => void;
}

export class Peer {
  readonly #pc: RTCPeerConnection;
  readonly #changed: () => void;
  readonly #life = new AbortController();
  readonly #gate: Gate | undefined;
  readonly #senders: Readonly<Record<Kind, RTCRtpSender>>;
  readonly #slots: readonly Readonly<Record<Kind, MediaStreamTrack>>[];
  readonly #attached: Record<Kind, MediaStreamTrack | null> = { audio: null, video: null };
  #queue: Promise<unknown> = Promise.resolve();
  #id: string | undefined;

  constructor({ iceServers, pairs, gate, changed }: PeerOptions) {
    this.#pc = new RTCPeerConnection({
      iceServers: iceServers.map((server) => ({ ...server })),
      bundlePolicy: 'max-bundle',
      rtcpMuxPolicy: 'require',
    });
    this.#changed = changed;
    this.#pc.addEventListener('connectionstatechange', changed, this.#life);
    this.#gate = gate;
    const audio = this.#pc.addTransceiver('audio', { direction: 'sendonly' });
    const video = this.#pc.addTransceiver('video', {
      direction: 'sendonly',
      sendEncodings: [{ maxBitrate: mostVideoBitsPerSecond }],
    });
    preferVP8(video);
    gate?.guard(audio.sender, 'audio');
    gate?.guard(video.sender, 'video');
    this.#senders = { audio: audio.sender, video: video.sender };
    this.#slots = Array.from({ length: pairs }, () => this.#addSlot());
  }

  /** The server's name for it, once it has answered. */
  get id(): string | undefined {
    return this.#id;
  }

  get gated(): boolean {
    return this.#gate !== undefined;
  }

  get state(): RTCPeerConnectionState {
    return this.#pc.connectionState;
  }

  /** What slot pair i receives; the same tracks for as long as the peer lives. */
  slot(i: number): Readonly<Record<Kind, MediaStreamTrack>> | undefined {
    return this.#slots[i];
  }

  /** Something comes for slot pair i, by the browser's account. */
  flows(i: number): boolean {
    const slot = this.#slots[i];
    return slot !== undefined && !(slot.audio.muted && slot.video.muted);
  }

  get sounds(): readonly MediaStreamTrack[] {
    return this.#slots.map(({ audio }) => audio);
  }

  /** The server is ICE-lite and brings its candidates in the answer, so there is nothing to gather first. */
  async offer(): Promise<string> {
    await this.#pc.setLocalDescription();
    return this.#pc.localDescription?.sdp ?? '';
  }

  async accept({ peer, sdp }: Answer): Promise<void> {
    this.#id = peer;
    await this.#pc.setRemoteDescription({ type: 'answer', sdp });
  }

  /** Opens or closes the way out; without a gate the tracks themselves are the gate. */
  open(open: boolean): void {
    this.#gate?.set(open);
  }

  /** Attaches what the encoder shall work on; null lets it rest. */
  send(kind: Kind, track: MediaStreamTrack | null): Promise<void> {
    if (this.#attached[kind] === track) return Promise.resolve();
    this.#attached[kind] = track;
    return this.#enqueue(() => this.#senders[kind].replaceTrack(track));
  }

  /** Takes the track off and puts it back: a sender that stalled in an interruption starts again. */
  rearm(kind: Kind): Promise<void> {
    return this.#enqueue(async () => {
      await this.#senders[kind].replaceTrack(null);
      await this.#senders[kind].replaceTrack(this.#attached[kind]);
    });
  }

  async bytesSent(kind: Kind): Promise<number> {
    let bytes = 0;
    for (const report of (await this.#senders[kind].getStats()).values() as Iterable<RTCStats>) {
      if (isOutbound(report)) bytes += report.bytesSent ?? 0;
    }
    return bytes;
  }

  close(): void {
    this.#gate?.set(false);
    this.#gate?.forget();
    this.#life.abort();
    this.#pc.close();
  }

  #addSlot(): Readonly<Record<Kind, MediaStreamTrack>> {
    const audio = this.#pc.addTransceiver('audio', { direction: 'recvonly' });
    const video = this.#pc.addTransceiver('video', { direction: 'recvonly' });
    preferVP8(video);
    const slot = { audio: audio.receiver.track, video: video.receiver.track };
    for (const track of Object.values(slot)) {
      track.addEventListener('unmute', this.#changed, this.#life);
    }
    return slot;
  }

  /** One replaceTrack after the other; a peer that closed meanwhile has nothing left to send. */
  #enqueue(step: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(step).catch(() => undefined);
    this.#queue = done;
    return done;
  }
}

/** VP8 first and its retransmission with it; everything else stays behind for the server to refuse. */
function preferVP8(transceiver: RTCRtpTransceiver): void {
  const codecs = RTCRtpReceiver.getCapabilities('video')?.codecs ?? [];
  const first = codecs.filter(({ mimeType }) => /\/(vp8|rtx)$/i.test(mimeType));
  const rest = codecs.filter((codec) => !first.includes(codec));
  if (first.length > 0) transceiver.setCodecPreferences([...first, ...rest]);
}

function isOutbound(report: RTCStats): report is RTCOutboundRtpStreamStats {
  return report.type === 'outbound-rtp';
}
