/** Two short chimes, made on the spot: no file to load, and no element that a phone may refuse. */
export type Chime = 'admitted' | 'arrival';

interface Note {
  hertz: number;
  at: number;
  seconds: number;
}

/** Rising for "it is your turn", one soft pair for "somebody came". */
const melodies: Readonly<Record<Chime, readonly Note[]>> = {
  admitted: [
    { hertz: 523.25, at: 0, seconds: 0.5 },
    { hertz: 659.25, at: 0.18, seconds: 0.5 },
    { hertz: 783.99, at: 0.36, seconds: 0.9 },
  ],
  arrival: [
    { hertz: 783.99, at: 0, seconds: 0.35 },
    { hertz: 587.33, at: 0.2, seconds: 0.7 },
  ],
};

const loudest: Readonly<Record<Chime, number>> = { admitted: 0.35, arrival: 0.18 };

export function play(context: AudioContext, chime: Chime): void {
  for (const note of melodies[chime]) strike(context, note, loudest[chime]);
}

/** A sine with a bell's envelope; 10 ms of attack, so that it does not click. */
function strike(context: AudioContext, { hertz, at, seconds }: Note, peak: number): void {
  const start = context.currentTime + at;
  const tone = new OscillatorNode(context, { frequency: hertz });
  const envelope = new GainNode(context, { gain: 0 });
  envelope.gain.setValueAtTime(0, start);
  envelope.gain.linearRampToValueAtTime(peak, start + 0.01);
  envelope.gain.exponentialRampToValueAtTime(0.001, start + seconds);
  tone.connect(envelope).connect(context.destination);
  tone.start(start);
  tone.stop(start + seconds);
}
