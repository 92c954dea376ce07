/**
 * Runs in a page before its scripts, and notes when things happened, in milliseconds of the machine's
 * clock, which all pages of one machine share.
 *
 * Pictures are timed by requestVideoFrameCallback, sound by an AudioWorklet on every track that comes
 * in: getStats would round both to 50 ms.
 */
export function stopwatch() {
  /** @type {Times} */
  const times = { clicked: 0, frames: [], sounds: [], marks: {} };
  Object.assign(window, { times });
  const mark = (/** @type {string} */ name) => {
    if (name in times.marks) return;
    times.marks[name] = Date.now();
    dispatchEvent(new CustomEvent('marked', { detail: name }));
  };

  document.addEventListener('click', () => (times.clicked = Date.now()), { capture: true });

  /** @param {HTMLVideoElement} video */
  const film = (video) => {
    const first = video.dataset['testid'] === 'self-video';
    const seen = () => {
      if (first) mark('preview');
      else times.frames.push({ seat: video.dataset['seat'] ?? '', at: Date.now() });
      video.requestVideoFrameCallback(seen);
    };
    video.requestVideoFrameCallback(seen);
  };
  const filmed = new WeakSet();
  new MutationObserver(() => {
    for (const video of document.querySelectorAll('video')) {
      if (filmed.has(video)) continue;
      filmed.add(video);
      film(video);
    }
    const state = document.querySelector('[data-testid="state"]')?.getAttribute('data-state');
    if (state) mark(state);
  }).observe(document, { subtree: true, childList: true, attributes: true });

  // Tells when it gets loud: the first sample that is not silence after 100 ms of it.
  const ear = `registerProcessor('ear', class extends AudioWorkletProcessor {
    quiet = Infinity;
    process([[samples]]) {
      const loud = samples?.some((sample) => Math.abs(sample) > 0.005) ?? false;
      if (loud && this.quiet > sampleRate / 10) this.port.postMessage(Date.now());
      this.quiet = loud ? 0 : this.quiet + 128;
      return true;
    }
  });`;
  /** @type {Promise<AudioContext> | undefined} */
  let listening;
  const ears = async () => {
    const context = new AudioContext();
    await context.audioWorklet.addModule(
      URL.createObjectURL(new Blob([ear], { type: 'text/javascript' })),
    );
    return context;
  };
  /** @param {MediaStreamTrack} track */
  const listen = async (track) => {
    const context = await (listening ??= ears());
    const worklet = new AudioWorkletNode(context, 'ear');
    worklet.port.onmessage = ({ data }) => times.sounds.push({ at: data });
    context.createMediaStreamSource(new MediaStream([track])).connect(worklet);
  };

  const { addTransceiver } = RTCPeerConnection.prototype;
  /** @param {string | MediaStreamTrack} kind @param {RTCRtpTransceiverInit} [init] */
  RTCPeerConnection.prototype.addTransceiver = function (kind, init) {
    const transceiver = addTransceiver.call(this, kind, init);
    if (kind === 'audio' && init?.direction === 'recvonly') void listen(transceiver.receiver.track);
    this.addEventListener('connectionstatechange', () => mark(this.connectionState));
    return transceiver;
  };
}

/**
 * @typedef {object} Times
 * @property {number} clicked the last click
 * @property {{ seat: string, at: number }[]} frames of other people, each when it was shown
 * @property {{ at: number }[]} sounds of other people, each when silence ended
 * @property {Record<string, number>} marks first times: the seat's states, the connection's states, the own preview
 */
