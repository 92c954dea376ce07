/**
 * What browsers do against the standards, each in a function of its own with where it was reported and
 * when to look whether it can go. Nothing else in the library asks which browser it runs in.
 */

/** Safari, and every browser on iOS, which all are WebKit. */
function isWebKit(): boolean {
  return navigator.vendor.startsWith('Apple');
}

/**
 * After a telephone call or Siri a WebKit track may say live and unmuted and carry silence; only a
 * fresh getUserMedia brings the sound back. Other engines keep the track, and Firefox would ask for
 * permission again.
 * Source: 100mslive/web-sdks#3728, aws/amazon-chime-sdk-js#3238 (iOS 18.7 and 26). Review: 2027-06.
 */
export function needsFreshCaptureAfterInterruption(): boolean {
  return isWebKit();
}

/**
 * An AudioContext that was resumed too early after an interruption says `running` while its clock
 * stands still. Watches it for a moment; false: make a new one.
 * Source: GetStream/stream-video-js#2249. Review: 2027-06.
 */
export async function clockRuns(context: Pick<AudioContext, 'currentTime'>): Promise<boolean> {
  const before = context.currentTime;
  await new Promise((resolve) => setTimeout(resolve, 200));
  return context.currentTime > before;
}

/**
 * iOS plays through the earpiece, and softly, while it records, unless the page says what it is for.
 * Source: W3C Audio Session draft; twilio/twilio-video.js#1586. Review: 2027-06, on a phone.
 */
export function announceAudioSession(recording: boolean): void {
  const session = (navigator as { audioSession?: { type: string } }).audioSession;
  if (session) session.type = recording ? 'play-and-record' : 'playback';
}

/**
 * iOS ignores setSinkId for remote tracks and Android ties output to the microphone, so a list of
 * speakers would lie on phones.
 * Source: livekit/client-sdk-js#1635, element-hq/element-call#1071. Review: 2027-06.
 */
export function canSelectOutput(device: 'phone' | 'desktop'): boolean {
  return device === 'desktop' && 'setSinkId' in HTMLMediaElement.prototype;
}

/**
 * Safari suspends an element whose only tracks ended or never had data, which takes its permission to
 * play with it; a silent track of our own keeps it alive.
 * Source: livekit/client-sdk-js `src/room/Room.ts`, nextcloud/spreed#18769. Review: 2027-06, on a phone.
 */
export function silentTrack(context: AudioContext): MediaStreamTrack | undefined {
  return context.createMediaStreamDestination().stream.getAudioTracks()[0];
}
