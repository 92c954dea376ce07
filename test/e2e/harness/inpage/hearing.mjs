/**
 * Begins to follow what a page hears of others: how much of it the browser made up because nothing had come, and for how long at a
 * time. It counts samples, not the machine's time. Runs in a page.
 */
export function listenForGaps() {
  const everyMS = 100;
  /** Of all samples between two looks; what is made up begins and ends within one. */
  const nearlyAll = 0.9;
  const { watched } = /** @type {any} */ (window);
  /** @type {Hearing} */
  const heard = { samples: 0, concealed: 0, packets: 0, longestGap: 0 };
  watched.heard = heard;
  let gap = 0;

  const look = async () => {
    const now = { samples: 0, concealed: 0, packets: 0 };
    for (const peer of watched.peers) {
      if (peer.connectionState !== 'connected') continue;
      for (const report of (await peer.getStats()).values()) {
        if (report.type !== 'inbound-rtp' || report.kind !== 'audio') continue;
        if (!report.packetsReceived) continue; // a slot that nobody was in
        now.samples += report.totalSamplesReceived ?? 0;
        now.concealed += report.concealedSamples ?? 0;
        now.packets += report.packetsReceived;
      }
    }
    const [samples, concealed] = [now.samples - heard.samples, now.concealed - heard.concealed];
    if (heard.samples > 0 && samples > 0) {
      gap = concealed > nearlyAll * samples ? gap + concealed : 0;
      heard.longestGap = Math.max(heard.longestGap, gap);
    }
    Object.assign(heard, now);
  };
  setInterval(() => void look(), everyMS);
}

/**
 * What was heard since listenForGaps, the longest gap since the last call. Runs in a page.
 *
 * @returns {Hearing}
 */
export function hearing() {
  const { heard } = /** @type {any} */ (window).watched;
  const is = { ...heard };
  heard.longestGap = 0;
  return is;
}

/**
 * @typedef {object} Hearing
 * @property {number} samples played, 48,000 a second
 * @property {number} concealed of them, made up by the browser
 * @property {number} packets
 * @property {number} longestGap in samples
 */
