import { beforeEach, expect, test, vi } from 'vitest';
import type { Devices } from '../api';
import { FakeDevices, FakeStream, FakeTrack, refusal } from '../testing/media';
import { CameraControl } from './camera';
import { Capture } from './capture';

const lenses = { user: 'front', environment: 'back' } as const;

/** A phone with a lens on each side. */
class Phone extends FakeDevices {
  obeys = true;

  override getUserMedia(constraints: MediaStreamConstraints): Promise<FakeStream> {
    this.prompts.push(constraints);
    const { deviceId, facingMode } = constraints.video as {
      deviceId?: { exact: string };
      facingMode?: { ideal: keyof typeof lenses };
    };
    const lens = this.obeys && facingMode ? lenses[facingMode.ideal] : 'front';
    const track = new FakeTrack('video', deviceId?.exact ?? lens);
    this.opened.push(track);
    return Promise.resolve(new FakeStream([track]));
  }
}

let phone: Phone;
let camera: CameraControl;

beforeEach(async () => {
  phone = new Phone();
  vi.stubGlobal('isSecureContext', true);
  vi.stubGlobal('MediaStream', FakeStream);
  vi.stubGlobal('navigator', { mediaDevices: phone });
  const capture = new Capture({
    changed: () => undefined,
    track: () => undefined,
    native: () => undefined,
  });
  const cameras = Object.values(lenses).map((deviceId) => ({ deviceId }));
  camera = new CameraControl(capture, 'phone', {
    changed: () => undefined,
    released: () => undefined,
    devices: () => ({ cameras }) as unknown as Devices,
  });
  await camera.enable();
});

test('ten flips, and each is the other side', async () => {
  const seen: (string | undefined)[] = [];
  for (let i = 0; i < 10; i += 1) {
    await camera.flip();
    seen.push(camera.deviceId);
  }
  expect(seen).toEqual(Array.from({ length: 5 }, () => ['back', 'front']).flat());
  expect(phone.opened.filter(({ readyState }) => readyState === 'live')).toHaveLength(1);
});

test('a browser that does not know the sides is asked by id', async () => {
  phone.obeys = false;
  await camera.flip();
  expect(camera.deviceId).toBe('back');
});

test('where the other side does not open, this one is back', async () => {
  vi.spyOn(phone, 'getUserMedia').mockRejectedValueOnce(refusal('NotReadableError'));
  await expect(camera.flip()).rejects.toMatchObject({ code: 'busy' });
  expect(camera.state).toBe('on');
  expect(camera.deviceId).toBe('front');
  await camera.flip();
  expect(camera.deviceId).toBe('back');
});

test('a flip while the other side still opens goes back, and the first does not meddle', async () => {
  const first = camera.flip();
  while (phone.prompts.length < 2) await Promise.resolve();
  await Promise.all([first, camera.flip()]);
  expect(camera.deviceId).toBe('front');
  expect(phone.opened.filter(({ readyState }) => readyState === 'live')).toHaveLength(1);
});
