/** The gate's decision for each encoded frame, apart from any browser class. */

/** What a page may tell the worker. Gates are closed until told otherwise. */
export type ToWorker =
  | { tell: 'gate'; gate: number; open: boolean }
  | { tell: 'forget'; gate: number }
  | { tell: 'tick'; metronome: number; everyMS: number }
  | { tell: 'still'; metronome: number };

/** What the worker tells the page. */
export type FromWorker = { tell: 'ready' } | { tell: 'ticked'; metronome: number };

/** Given with each RTCRtpScriptTransform. */
export interface GateOptions {
  gate: number;
  kind: 'audio' | 'video';
}

/** Of an encoded picture; sound has no key frames. */
export type FrameType = 'key' | 'delta' | 'empty' | undefined;

/**
 * Lets nothing through while closed. After each opening a picture starts with a key frame: the delta
 * frames before it refer to what nobody has received.
 */
export function frameFilter(
  kind: GateOptions['kind'],
  isOpen: () => boolean,
): (type: FrameType) => boolean {
  let started = false;
  return (type) => {
    if (!isOpen()) {
      started = false;
      return false;
    }
    started ||= kind === 'audio' || type === 'key';
    return started;
  };
}
