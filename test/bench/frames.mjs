/**
 * Runs in a page before its scripts, and notes when a new frame of another person was on the screen, in
 * milliseconds of the machine's clock. It does nothing else, so that it adds little to what it measures; the
 * stopwatch listens and looks at every track.
 *
 * The browser goes on showing frames while the page itself is busy, and tells of them late: `count` is how many it has shown
 * in all.
 */
export function frameTimes() {
  /** @type {{ at: number, count: number }[]} */
  const frames = [];
  Object.assign(window, { frames });
  const filmed = new WeakSet();
  /** @param {HTMLVideoElement} video */
  const film = (video) => {
    if (filmed.has(video) || video.dataset['testid'] === 'self-video') return;
    filmed.add(video);
    const seen = (
      /** @type {number} */ _,
      /** @type {VideoFrameCallbackMetadata} */ { presentedFrames },
    ) => {
      frames.push({ at: Date.now(), count: presentedFrames });
      video.requestVideoFrameCallback(seen);
    };
    video.requestVideoFrameCallback(seen);
  };
  new MutationObserver(() => document.querySelectorAll('video').forEach(film)).observe(document, {
    subtree: true,
    childList: true,
  });
}
