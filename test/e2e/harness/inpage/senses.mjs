/** Eyes and ears of the tests. Each function runs in a page. */

/**
 * The code of the picture that a video element shows now; undefined where it shows none.
 *
 * @param {Element | string} target the element or its selector
 * @returns {{ number: number, count: number } | undefined}
 */
export function look(target) {
  const element = typeof target === 'string' ? document.querySelector(target) : target;
  const video = /** @type {HTMLVideoElement} */ (element);
  const { videoWidth: width, videoHeight: height } = video;
  if (width === 0) return undefined;
  const canvas = new OffscreenCanvas(width, height);
  const paper = /** @type {OffscreenCanvasRenderingContext2D} */ (
    canvas.getContext('2d', { willReadFrequently: true })
  );
  paper.drawImage(video, 0, 0);
  const cell = width / 16;
  const read = (/** @type {number} */ row) => {
    let bits = 0;
    for (let i = 0; i < 16; i += 1) {
      const y = height - (2 - row) * cell + cell / 2;
      const [, green = 0] = paper.getImageData((i + 0.5) * cell, y, 1, 1).data;
      bits = (bits << 1) | (green > 127 ? 1 : 0);
    }
    const byte = bits >> 8;
    return (byte ^ 0xff) === (bits & 0xff) ? byte : undefined;
  };
  const number = read(0);
  const count = read(1);
  return number === undefined || count === undefined ? undefined : { number, count };
}

/**
 * True where something opaque lies over the middle of the element, or nothing of it is on the screen.
 *
 * @param {Element} element
 */
export function isCovered(element) {
  const { left, top, width, height } = element.getBoundingClientRect();
  const stack = document.elementsFromPoint(left + width / 2, top + height / 2);
  const at = stack.indexOf(element);
  if (at < 0) return true;
  return stack.slice(0, at).some((over) => {
    const { backgroundColor, opacity } = getComputedStyle(over);
    const see = /^rgba\(.*, (?<alpha>[\d.]+)\)$/.exec(backgroundColor)?.groups?.alpha ?? '1';
    return Number(see) === 1 && Number(opacity) === 1;
  });
}

/**
 * How loud each tone is in what the page plays of others, in dB below full scale. The first call
 * begins to listen; a later one hears.
 *
 * @param {number[]} tones in hertz
 * @returns {number[]}
 */
export function listen(tones) {
  const { speakers, ears = new Map() } = /** @type {any} */ (window).watched;
  /** @type {any} */ (window).watched.ears = ears;
  /** @type {AudioContext} */
  const context = (ears.context ??= new AudioContext());
  void context.resume();
  const levels = tones.map(() => -Infinity);
  for (const speaker of speakers) {
    if (speaker.paused || !(speaker.srcObject instanceof MediaStream)) continue;
    for (const track of speaker.srcObject.getAudioTracks()) {
      if (!ears.has(track)) {
        const ear = new AnalyserNode(context, { fftSize: 4096, smoothingTimeConstant: 0 });
        context.createMediaStreamSource(new MediaStream([track])).connect(ear);
        ears.set(track, ear);
      }
      const ear = ears.get(track);
      const bins = new Float32Array(ear.frequencyBinCount);
      ear.getFloatFrequencyData(bins);
      tones.forEach((hertz, i) => {
        const bin = Math.round((hertz * ear.fftSize) / context.sampleRate);
        levels[i] = Math.max(levels[i] ?? -Infinity, ...bins.slice(bin - 1, bin + 2));
      });
    }
  }
  return levels;
}

/**
 * How many voices come out of the page. Chromium counts a sound's energy only where it is played: a
 * track that an element holds and does not play has none.
 *
 * @returns {Promise<number>}
 */
export async function voices() {
  const { peers, energies = new Map() } = /** @type {any} */ (window).watched;
  /** @type {any} */ (window).watched.energies = energies;
  let count = 0;
  for (const peer of peers) {
    if (peer.connectionState !== 'connected') continue;
    for (const { type, kind, id, totalAudioEnergy = 0 } of (await peer.getStats()).values()) {
      if (type !== 'inbound-rtp' || kind !== 'audio') continue;
      if (totalAudioEnergy > (energies.get(id) ?? 0)) count += 1;
      energies.set(id, totalAudioEnergy);
    }
  }
  return count;
}

/**
 * What has gone out and come in over all connections of the page, closed ones excepted.
 *
 * @returns {Promise<Traffic>}
 */
export async function traffic() {
  const sum = { sent: 0, received: 0, framesEncoded: 0, framesDecoded: 0, connected: false };
  for (const peer of /** @type {any} */ (window).watched.peers) {
    if (peer.connectionState === 'closed') continue;
    sum.connected ||= peer.connectionState === 'connected';
    for (const report of (await peer.getStats()).values()) {
      if (report.type === 'outbound-rtp') {
        sum.sent += report.packetsSent ?? 0;
        sum.framesEncoded += report.framesEncoded ?? 0;
      }
      if (report.type === 'inbound-rtp') {
        sum.received += report.packetsReceived ?? 0;
        sum.framesDecoded += report.framesDecoded ?? 0;
      }
    }
  }
  return sum;
}

/**
 * The candidate types of the pair in use, ours and the server's, and our port as the server sees it; undefined before there is one.
 */
export async function route() {
  for (const peer of /** @type {any} */ (window).watched.peers) {
    if (peer.connectionState !== 'connected') continue;
    const reports = await peer.getStats();
    for (const report of reports.values()) {
      if (report.type !== 'transport') continue;
      const pair = reports.get(report.selectedCandidatePairId);
      const local = reports.get(pair?.localCandidateId);
      const remote = reports.get(pair?.remoteCandidateId);
      if (local && remote) {
        return {
          local: local.candidateType,
          remote: remote.candidateType,
          relay: local.relayProtocol,
          port: local.port,
        };
      }
    }
  }
  return undefined;
}

/** The notes that were really heard: struck in a running context whose clock has passed them. */
export function notesHeard() {
  /** @type {import('./watch.mjs').Watched} */
  const { notes } = /** @type {any} */ (window).watched;
  return notes
    .filter(({ context, when }) => context.state === 'running' && context.currentTime > when)
    .map(({ hertz }) => Math.round(hertz));
}

/**
 * @typedef {object} Traffic
 * @property {number} sent RTP packets
 * @property {number} received RTP packets
 * @property {number} framesEncoded whether they were sent or not
 * @property {number} framesDecoded
 * @property {boolean} connected one connection is up
 */
