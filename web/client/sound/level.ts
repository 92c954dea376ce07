/** Loudness of the microphone, read when somebody looks. */
export class Level {
  #analyser: AnalyserNode | undefined;
  #source: MediaStreamAudioSourceNode | undefined;
  #track: MediaStreamTrack | undefined;
  #samples = new Float32Array(0);

  /** 0 to 1; undefined where there is no running context to measure with. */
  read(context: AudioContext | undefined, track: MediaStreamTrack | undefined): number | undefined {
    if (context?.state !== 'running' || !track) return undefined;
    if (track !== this.#track || context !== this.#analyser?.context) this.#connect(context, track);
    this.#analyser?.getFloatTimeDomainData(this.#samples);
    let sum = 0;
    for (const sample of this.#samples) sum += sample * sample;
    return loudness(Math.sqrt(sum / Math.max(1, this.#samples.length)));
  }

  close(): void {
    this.#source?.disconnect();
    this.#source = this.#analyser = this.#track = undefined;
  }

  #connect(context: AudioContext, track: MediaStreamTrack): void {
    this.close();
    this.#track = track;
    this.#analyser = context.createAnalyser();
    this.#analyser.fftSize = 1024;
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#source = context.createMediaStreamSource(new MediaStream([track]));
    this.#source.connect(this.#analyser);
  }
}

/** RMS to a scale that looks even to the eye: -60 dB is 0, -10 dB and more is 1. Digital silence is 0. */
export function loudness(rms: number): number {
  if (rms <= 0) return 0;
  const decibels = 20 * Math.log10(rms);
  return Math.min(1, Math.max(Number.EPSILON, (decibels + 60) / 50));
}
