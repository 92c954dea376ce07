import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeDevices, type FakeTrack } from '../testing/media';
import { Capture } from './capture';
import { Interruptions } from './interruption';

let devices: FakeDevices;
let capture: Capture;
let interruptions: Interruptions;
let states: string[];
let proof: boolean;
let whileProving: () => void;
let sound: number;

async function surroundings(vendor: string): Promise<void> {
  devices = new FakeDevices();
  vi.stubGlobal('isSecureContext', true);
  vi.stubGlobal('navigator', { mediaDevices: devices, vendor });
  vi.stubGlobal('document', { visibilityState: 'visible' });
  states = [];
  proof = true;
  whileProving = () => undefined;
  sound = 0;
  capture = new Capture({
    changed: () => undefined,
    track: () => undefined,
    native: (kind, event) => interruptions.native(kind, event),
  });
  interruptions = new Interruptions(capture, {
    changed: (state) => states.push(state),
    reviveSound: () => {
      sound += 1;
      return Promise.resolve();
    },
    rearm: () => Promise.resolve(),
    prove: () => {
      whileProving();
      return Promise.resolve(proof);
    },
  });
  await capture.preview({ audio: true, video: true });
}

function track(kind: 'audio' | 'video'): FakeTrack {
  const found = devices.opened.findLast((one) => one.kind === kind);
  if (!found) throw new Error(`no ${kind}`);
  return found;
}

const passes = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('any browser', () => {
  beforeEach(() => surroundings('Google Inc.'));

  test('a short mute is nobody’s business', async () => {
    track('audio').system('mute');
    await passes(1000);
    track('audio').system('unmute');
    await passes(5000);
    expect(states).toEqual([]);
    expect(capture.lanes.audio.state).toBe('on');
  });

  test('a telephone call is an interruption with a start and an end', async () => {
    track('audio').system('mute');
    await passes(1500);
    expect(states).toEqual(['interrupted']);
    expect(capture.lanes.audio.state).toBe('interrupted');
    track('audio').system('unmute');
    await passes(0);
    expect(states).toEqual(['interrupted', 'none']);
    expect(capture.lanes.audio.state).toBe('on');
    expect(sound).toBe(1);
    expect(devices.prompts).toHaveLength(1);
  });

  test('without proof from the old tracks fresh ones are opened, and without that a tap is asked for', async () => {
    track('audio').system('mute');
    await passes(1500);
    proof = false;
    track('audio').system('unmute');
    await passes(0);
    expect(devices.prompts).toHaveLength(2);
    expect(states).toEqual(['interrupted', 'needs_tap']);
    proof = true;
    interruptions.tapped();
    await passes(0);
    expect(states).toEqual(['interrupted', 'needs_tap', 'interrupted', 'none']);
  });

  test('coming back to the page begins the recovery, whether an unmute comes or not', async () => {
    track('video').system('mute');
    await passes(1500);
    interruptions.returned();
    await passes(0);
    expect(interruptions.state).toBe('none');
  });

  test('an unplugged webcam is replaced, both of its tracks in one call', async () => {
    track('audio').system('ended');
    track('video').system('ended');
    await passes(0);
    expect(devices.prompts).toHaveLength(2);
    expect(devices.prompts[1]).toMatchObject({ audio: {}, video: {} });
    expect(interruptions.state).toBe('none');
    expect(capture.lanes.video.state).toBe('on');
  });

  test('a track that ends in the background waits for the return', async () => {
    vi.stubGlobal('document', { visibilityState: 'hidden' });
    track('video').system('ended');
    await passes(0);
    expect(devices.prompts).toHaveLength(1);
    interruptions.returned();
    await passes(0);
    expect(devices.prompts).toHaveLength(2);
  });

  describe('the devices go one after the other', () => {
    test('each says so for itself', async () => {
      track('video').system('mute');
      await passes(1500);
      track('audio').system('mute');
      expect([capture.lanes.audio.state, capture.lanes.video.state]).toEqual([
        'interrupted',
        'interrupted',
      ]);
    });

    test('one that is back soon does not hide that the other is not', async () => {
      track('audio').system('mute');
      track('video').system('mute');
      track('audio').system('unmute');
      await passes(1500);
      expect(states).toEqual(['interrupted']);
      expect([capture.lanes.audio.state, capture.lanes.video.state]).toEqual(['on', 'interrupted']);
    });

    test('one that ends while the other recovers is replaced after it', async () => {
      track('audio').system('mute');
      await passes(1500);
      whileProving = () => {
        whileProving = () => undefined;
        track('video').system('ended');
      };
      track('audio').system('unmute');
      await passes(0);
      expect(devices.opened.filter(({ kind }) => kind === 'video')).toHaveLength(2);
      expect(track('video').readyState).toBe('live');
      expect(states.at(-1)).toBe('none');
      expect(capture.lanes.video.state).toBe('on');
    });
  });

  test('a device that the person switched off has nothing to recover', async () => {
    track('video').system('mute');
    await passes(1500);
    capture.disable('video');
    interruptions.released('video');
    await passes(5000);
    expect(states).toEqual(['interrupted', 'none']);
    expect(devices.prompts).toHaveLength(1);
  });

  test('no timer is left after the end', async () => {
    track('audio').system('mute');
    interruptions.close();
    await passes(5000);
    expect(states).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('Safari', () => {
  beforeEach(() => surroundings('Apple Computer, Inc.'));

  test('its word is not trusted after a call: the tracks are always opened anew', async () => {
    track('audio').system('mute');
    track('video').system('mute');
    await passes(1500);
    track('audio').system('unmute');
    await passes(0);
    expect(devices.prompts).toHaveLength(2);
    expect(interruptions.state).toBe('none');
  });

  test('the instant of mute when a camera starts is not an interruption', async () => {
    await capture.enable('video', { facing: 'environment' });
    track('video').system('mute');
    await passes(1000);
    track('video').system('unmute');
    await passes(5000);
    expect(states).toEqual([]);
  });

  test('a camera that is muted from its start, and stays so, is one', async () => {
    await capture.enable('video', { facing: 'environment' });
    track('video').system('mute');
    await passes(1500);
    expect(states).toEqual(['interrupted']);
    expect(capture.lanes.video.state).toBe('interrupted');
  });
});
