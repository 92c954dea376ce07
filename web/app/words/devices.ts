/** What to say when a camera or microphone does not work: what happened, what to do, the way on. */
import type { DeviceCode } from '../../client/index';

export interface Problem {
  title: string;
  text: string;
  steps: string[];
}

export type Place = 'ios' | 'android' | 'desktop';
type Thing = 'camera' | 'microphone' | 'camera and microphone';

const allow: Record<Place, (thing: Thing) => string[]> = {
  ios: (thing) => [
    'Tap the page settings button at the left end of the address bar.',
    `Choose 'Website Settings' and allow the ${thing}.`,
    "Come back here and tap 'Try again'.",
  ],
  android: (thing) => [
    'Tap the button at the left of the address, beside the name of this site.',
    `Choose 'Permissions' and allow the ${thing}.`,
    "Come back here and tap 'Try again'.",
  ],
  desktop: (thing) => [
    'Click the button at the left of the address, beside the name of this site.',
    `Allow the ${thing}.`,
    "Come back here and click 'Try again'.",
  ],
};

const allowInSystem: Record<Place, (thing: Thing) => string[]> = {
  ios: (thing) => [
    "Open 'Settings' on your phone, then 'Apps', then your browser.",
    `Turn on the ${thing}.`,
    "Come back here and tap 'Try again'.",
  ],
  android: (thing) => [
    "Open 'Settings' on your phone, then 'Apps', then your browser.",
    `Choose 'Permissions' and allow the ${thing}.`,
    "Come back here and tap 'Try again'.",
  ],
  desktop: (thing) => [
    'Open the privacy settings of your computer.',
    `Let your browser use the ${thing}.`,
    "Come back here and click 'Try again'.",
  ],
};

const device = (place: Place): string => (place === 'desktop' ? 'computer' : 'phone');

export interface ProblemFacts {
  code: DeviceCode;
  thing: Thing;
  place: Place;
  who?: 'user' | 'system' | undefined;
}

const table: Record<DeviceCode, (facts: ProblemFacts) => Problem> = {
  denied: ({ thing, place, who }) => ({
    title: `Your ${who === 'system' ? device(place) : 'browser'} is blocking the ${thing}`,
    text: wayOn(thing, 'or follow 3 steps to turn it on'),
    steps: (who === 'system' ? allowInSystem : allow)[place](thing),
  }),
  missing: ({ thing, place }) => ({
    title: `We cannot find a ${thing}`,
    text: wayOn(thing, 'or connect one and try again'),
    steps:
      place === 'desktop'
        ? [`Plug in the ${thing}, or switch it on.`, "Wait a moment, then click 'Try again'."]
        : [],
  }),
  busy: ({ thing, place }) => ({
    title: `Another app is using the ${thing}`,
    text: wayOn(thing, 'or free it and try again'),
    steps: [
      'Close other apps and pages that use video or calls.',
      `${place === 'desktop' ? 'Click' : 'Tap'} 'Try again'.`,
    ],
  }),
  insecure: ({ thing }) => ({
    title: `This page may not use the ${thing}`,
    text: wayOn(thing, 'or open the link again from your message'),
    steps: [
      'Go back to the message from the clinic.',
      'Open the link again. Its address starts with https.',
    ],
  }),
  in_app: ({ thing, place }) => ({
    title: `This app cannot use the ${thing}`,
    text: `Open the visit in ${place === 'ios' ? 'Safari' : 'your browser'}. Or carry on with messages only.`,
    steps: [
      'Copy the link of this visit.',
      `Open ${place === 'ios' ? 'Safari' : 'your browser'} and paste the link into the address bar.`,
    ],
  }),
  unknown: ({ thing, place }) => ({
    title: `The ${thing} did not start`,
    text: wayOn(thing, 'or try again'),
    steps: [
      'Close other apps and pages that use video or calls.',
      `${place === 'desktop' ? 'Click' : 'Tap'} 'Try again'. If that does not help, restart your ${device(place)}.`,
    ],
  }),
};

function wayOn(thing: Thing, or: string): string {
  switch (thing) {
    case 'camera':
      return `You can carry on with sound only, ${or}.`;
    case 'microphone':
      return `They will see you and you can write messages, ${or}.`;
    case 'camera and microphone':
      return `You can carry on with messages only, ${or}.`;
  }
}

export function deviceProblem(facts: ProblemFacts): Problem {
  return table[facts.code](facts);
}

export const deviceWords = {
  tryAgain: 'Try again',
  copyLink: 'Copy the link',
  copied: 'Copied',
  how: 'How to turn it on',
  details: 'Details for support',
  microphone: 'Microphone',
  camera: 'Camera',
  speaker: 'Sound comes from',
  settings: 'Choose devices',
  close: 'Close',
  heard: 'We can hear you',
  speak: 'Speak to test your microphone',
  microphoneOff: 'Your microphone is off',
  cameraOff: 'Your camera is off',
  cameraStarting: 'Starting your camera',
  unnamed: (kind: string, n: number) => `${kind} ${n}`,
};
