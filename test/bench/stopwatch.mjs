/**
 * Runs in a page before its scripts, and notes when things happened, in milliseconds of the machine's
 * clock, which all pages of one machine share.
 *
 * A decoded frame is timed in a worker that reads every video track that comes in, and sound by an
 * AudioWorklet on every audio track: the page itself is busy drawing at that moment, and getStats would
 * round to 50 ms. A shown frame is timed by requestVideoFrameCallback.
 */
export function stopwatch() {
  /** @type {Times} */
  const times = { clicked: 0, decoded: [], frames: [], sounds: [], marks: {} };
  Object.assign(window, { times });
  const mark = (/** @type {string} */ name) => {
    if (name in times.marks) return;
    times.marks[name] = Date.now();
    dispatchEvent(new CustomEvent('marked', { detail: name }));
  };

  document.addEventListener('click', () => (times.clicked = Date.now()), {
    capture: true,
  });

  /** @param {HTMLVideoElement} video */
  const film = (video) => {
    const first = video.dataset['testid'] === 'self-video';
    const seen = () => {
      if (first) mark('preview');
      else
        times.frames.push({
          seat: video.dataset['seat'] ?? '',
          at: Date.now(),
        });
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

  // Tells when frames begin: the first one after a second without.
  const eye = `onmessage = async ({ data: { frames } }) => {
    let last = 0;
    for await (const frame of frames) {
      frame.close();
      const at = Date.now();
      if (at - last > 1000) postMessage({ at });
      last = at;
    }
  };`;
  /** @type {Worker | undefined} */
  let watching;
  const watch = (/** @type {MediaStreamTrack} */ track) => {
    if (!watching) {
      const script = new Blob([eye], { type: 'text/javascript' });
      watching = new Worker(URL.createObjectURL(script));
      watching.onmessage = ({ data }) => times.decoded.push(data);
    }
    const Processor = /** @type {any} */ (window).MediaStreamTrackProcessor;
    const { readable: frames } = new Processor({ track });
    watching.postMessage({ frames }, [frames]);
  };

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
    const context = new AudioContext({ latencyHint: 0 });
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
    const { track } = transceiver.receiver;
    if (init?.direction === 'recvonly') {
      if (kind === 'audio') void listen(track);
      else watch(track);
    }
    this.addEventListener('connectionstatechange', () => mark(this.connectionState));
    return transceiver;
  };
}

/**
 * @typedef {object} Times
 * @property {number} clicked the last click
 * @property {{ at: number }[]} decoded frames of other people, each the first after none had come
 * @property {{ seat: string, at: number }[]} frames of other people, each when it was shown
 * @property {{ at: number }[]} sounds of other people, each when silence ended
 * @property {Record<string, number>} marks first times: the seat's states, the connection's states, the own preview
 */
