/** What is wrong with the person's devices, as one problem to solve. */
import type { Camera, Capture, DeviceCode, Microphone, VisitError } from '../../client/index';
import { deviceProblem, type Place, type Problem } from '../words/devices';

export interface DeviceTrouble extends Problem {
  code: DeviceCode;
}

const codes: ReadonlySet<string> = new Set<DeviceCode>([
  'denied',
  'missing',
  'busy',
  'insecure',
  'in_app',
  'unknown',
]);

const broken = ({ state }: Capture): boolean =>
  state === 'blocked' || state === 'missing' || state === 'busy' || state === 'insecure';

function deviceCode(error: VisitError | undefined): DeviceCode {
  const code = error?.code;
  return code !== undefined && codes.has(code) ? (code as DeviceCode) : 'unknown';
}

/** One problem for both where both fail; undefined while all is well. */
export function troubleOf(
  microphone: Microphone,
  camera: Camera,
  place: Place,
): DeviceTrouble | undefined {
  const mic = broken(microphone);
  const cam = broken(camera);
  if (!mic && !cam) return undefined;
  const error = (cam ? camera : microphone).error;
  const code = deviceCode(error);
  const thing = mic && cam ? 'camera and microphone' : cam ? 'camera' : 'microphone';
  return { code, ...deviceProblem({ code, thing, place, who: error?.who }) };
}

/** Which steps fit; a wrong guess shows steps that are nearly right. */
export function placeOf(userAgent: string, touchPoints: number): Place {
  if (/Android/i.test(userAgent)) return 'android';
  if (/iPhone|iPad|iPod/i.test(userAgent)) return 'ios';
  // An iPad says that it is a Mac.
  return userAgent.includes('Macintosh') && touchPoints > 1 ? 'ios' : 'desktop';
}
