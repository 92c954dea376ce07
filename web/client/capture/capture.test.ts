import { beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeDevices, refusal } from '../testing/media';
import { Capture } from './capture';

let devices: FakeDevices;
let capture: Capture;
let tracks: string[];
const permissions = { camera: 'prompt', microphone: 'prompt' };

beforeEach(() => {
  devices = new FakeDevices();
  permissions.camera = permissions.microphone = 'prompt';
  vi.stubGlobal('isSecureContext', true);
  vi.stubGlobal('navigator', {
    mediaDevices: devices,
    permissions: {
      query: ({ name }: { name: keyof typeof permissions }) =>
        Promise.resolve({ state: permissions[name] }),
    },
  });
  tracks = [];
  capture = new Capture({
    changed: () => undefined,
    track: (kind, track) => tracks.push(`${kind} ${track ? 'on' : 'off'}`),
    native: () => undefined,
  });
});

const states = () => [capture.lanes.audio.state, capture.lanes.video.state];
const both = { audio: true, video: true };

test('both devices are asked for in one prompt', async () => {
  await capture.preview(both);
  expect(devices.prompts).toHaveLength(1);
  expect(states()).toEqual(['on', 'on']);
  expect(tracks).toEqual(['audio on', 'video on']);
});

test('what is on is not asked for again', async () => {
  await capture.preview(both);
  await capture.preview(both);
  expect(devices.prompts).toHaveLength(1);
});

test('the picture is always asked for as landscape, in multiples of 16', async () => {
  await capture.enable('video');
  const { width, height } = devices.prompts[0]?.video as Record<string, { ideal: number }>;
  expect([width?.ideal, height?.ideal]).toEqual([1024, 576]);
});

describe('the latest call wins', () => {
  test('off while it was opening: the late track is stopped', async () => {
    const opening = capture.enable('video');
    await Promise.resolve();
    capture.disable('video');
    await opening;
    expect(states()).toEqual(['off', 'off']);
    expect(devices.opened.every(({ readyState }) => readyState === 'ended')).toBe(true);
    expect(tracks).toEqual([]);
  });

  test('another camera while one was opening: only the newer stays on', async () => {
    const first = capture.enable('video');
    await Promise.resolve();
    const second = capture.enable('video', { deviceId: 'back' });
    await Promise.all([first, second]);
    expect(devices.opened.map(({ readyState }) => readyState)).toEqual(['ended', 'live']);
    expect(devices.prompts.at(-1)?.video).toMatchObject({ deviceId: { exact: 'back' } });
  });
});

test('the old track is stopped before the new one is asked for', async () => {
  await capture.enable('video');
  const first = devices.lastTrack;
  const asked = vi.spyOn(devices, 'getUserMedia').mockImplementation(() => {
    expect(first.readyState).toBe('ended');
    return Promise.reject(refusal('NotReadableError'));
  });
  await expect(capture.enable('video', { facing: 'environment' })).rejects.toMatchObject({
    code: 'busy',
  });
  expect(asked).toHaveBeenCalledOnce();
});

describe('one of the two fails', () => {
  test('no camera: the microphone opens alone', async () => {
    devices.refuse.set('audio video', refusal('NotFoundError'));
    devices.refuse.set('video', refusal('NotFoundError'));
    await capture.preview(both);
    expect(states()).toEqual(['on', 'missing']);
    expect(capture.lanes.video.error).toMatchObject({ code: 'missing' });
  });

  test('camera in use: the microphone opens alone', async () => {
    devices.refuse.set('audio video', refusal('NotReadableError'));
    devices.refuse.set('video', refusal('NotReadableError'));
    await capture.preview(both);
    expect(states()).toEqual(['on', 'busy']);
  });

  test('one prompt refused is refused for both, and nobody is asked twice', async () => {
    devices.refuse.set('audio video', refusal('NotAllowedError'));
    await expect(capture.preview(both)).rejects.toMatchObject({ code: 'denied' });
    expect(states()).toEqual(['blocked', 'blocked']);
    expect(devices.prompts).toHaveLength(1);
  });

  test('only the camera is blocked for this site: the microphone opens', async () => {
    permissions.camera = 'denied';
    devices.refuse.set('audio video', refusal('NotAllowedError'));
    await capture.preview(both);
    expect(states()).toEqual(['on', 'blocked']);
  });
});

test('a chosen device that is gone is replaced by any', async () => {
  const refused = vi.spyOn(devices, 'getUserMedia');
  refused.mockRejectedValueOnce(refusal('OverconstrainedError'));
  await capture.enable('audio', { deviceId: 'headset' });
  expect(states()[0]).toBe('on');
  expect(refused.mock.lastCall?.[0].audio).not.toHaveProperty('deviceId');
});

test('switched off, the device is let go', async () => {
  await capture.preview(both);
  capture.disable('video');
  expect(devices.opened.map(({ kind, readyState }) => [kind, readyState])).toEqual([
    ['audio', 'live'],
    ['video', 'ended'],
  ]);
  expect(tracks.at(-1)).toBe('video off');
});
