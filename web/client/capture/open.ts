/**
 * One getUserMedia for whatever is wanted, so that the person is asked once. Where the pair is refused
 * for the sake of one, the other is opened alone.
 */
import type { VisitError } from '../errors';
import type { Kind } from '../peer/peer';
import { failure, unavailable } from './failure';

/** What to ask a device for. */
export interface Wish {
  deviceId?: string | undefined;
  facing?: 'user' | 'environment' | undefined;
}

export type Wishes = Partial<Record<Kind, Wish>>;
export type Opened = Partial<Record<Kind, MediaStreamTrack | VisitError>>;

/** Never rejects: each wish is answered with a track or with why there is none. */
export async function open(wishes: Wishes): Promise<Opened> {
  const nothing = unavailable();
  if (nothing) return everything(wishes, nothing);
  try {
    return await ask(wishes);
  } catch (cause) {
    const error = failure(cause);
    if (error.code === 'missing' && chosen(wishes)) return open(unchosen(wishes));
    if (!wishes.audio || !wishes.video) return everything(wishes, error);
    return apart(wishes.audio, wishes.video, error);
  }
}

async function ask(wishes: Wishes): Promise<Opened> {
  const stream = await navigator.mediaDevices.getUserMedia({
    ...(wishes.audio && { audio: audioConstraints(wishes.audio) }),
    ...(wishes.video && { video: videoConstraints(wishes.video) }),
  });
  const opened: Opened = {};
  const [audio] = stream.getAudioTracks();
  const [video] = stream.getVideoTracks();
  if (audio) opened.audio = audio;
  if (video) opened.video = video;
  return opened;
}

/** The pair failed. One refusal was for both, unless the browser says that only one is blocked. */
async function apart(audio: Wish, video: Wish, error: VisitError): Promise<Opened> {
  if (error.code !== 'denied') return { ...(await open({ audio })), ...(await open({ video })) };
  const [microphone, camera] = await Promise.all([refused('microphone'), refused('camera')]);
  if (microphone === camera) return { audio: error, video: error };
  return microphone
    ? { audio: error, ...(await open({ video })) }
    : { ...(await open({ audio })), video: error };
}

async function refused(name: 'microphone' | 'camera'): Promise<boolean> {
  try {
    // Not every browser knows these names, hence the catch.
    const { state } = await navigator.permissions.query({ name });
    return state === 'denied';
  } catch {
    return false;
  }
}

function everything(wishes: Wishes, error: VisitError): Opened {
  return { ...(wishes.audio && { audio: error }), ...(wishes.video && { video: error }) };
}

function chosen({ audio, video }: Wishes): boolean {
  return audio?.deviceId !== undefined || video?.deviceId !== undefined;
}

function unchosen({ audio, video }: Wishes): Wishes {
  return {
    ...(audio && { audio: {} }),
    ...(video && { video: { facing: video.facing } }),
  };
}

function audioConstraints({ deviceId }: Wish): MediaTrackConstraints {
  return {
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
    ...(deviceId !== undefined && { deviceId: { exact: deviceId } }),
  };
}

/**
 * Landscape always, also on a phone held upright: the sender rotates. The size and its halves are
 * multiples of 16. A facing mode and an id never go together, since one of them would lose.
 */
function videoConstraints({ deviceId, facing }: Wish): MediaTrackConstraints {
  return {
    width: { ideal: 1024 },
    height: { ideal: 576 },
    frameRate: { ideal: 30, max: 30 },
    ...(deviceId !== undefined
      ? { deviceId: { exact: deviceId } }
      : facing !== undefined && { facingMode: { ideal: facing } }),
  };
}
