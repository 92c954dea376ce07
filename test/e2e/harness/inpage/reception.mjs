/**
 * Begins to count how often the page itself stands still: a machine that has no time for it draws no pictures and shows none,
 * which the browser counts as a freeze. Runs in a page.
 */
export function countStalls() {
  const everyMS = 20;
  const stallMS = 100;
  const watched = /** @type {any} */ (window).watched;
  watched.stalls = 0;
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    if (now - last > stallMS) watched.stalls += 1;
    last = now;
  }, everyMS);
}

/**
 * What the browser says of the video that it receives and sends. Runs in a page.
 *
 * @returns {Promise<Reception>}
 */
export async function reception() {
  const sum = {
    framesReceived: 0,
    framesDecoded: 0,
    framesDropped: 0,
    codecs: /** @type {string[]} */ ([]),
    connections: /** @type {any} */ (window).watched.peers.length,
    stalls: /** @type {any} */ (window).watched.stalls,
    nacks: 0,
    retransmitted: 0,
    freezes: 0,
    frozenSeconds: 0,
    packetsLost: 0,
    nacked: 0,
    retransmittedSent: 0,
  };
  for (const peer of /** @type {any} */ (window).watched.peers) {
    if (peer.connectionState !== 'connected') continue;
    const reports = await peer.getStats();
    for (const report of reports.values()) {
      if (report.kind !== 'video') continue;
      if (report.type === 'inbound-rtp') {
        sum.framesReceived += report.framesReceived ?? 0;
        sum.framesDecoded += report.framesDecoded ?? 0;
        sum.framesDropped += report.framesDropped ?? 0;
        const codec = reports.get(report.codecId)?.mimeType;
        if (codec) sum.codecs.push(`${codec} ${report.decoderImplementation ?? ''}`.trim());
        sum.nacks += report.nackCount ?? 0;
        sum.retransmitted += report.retransmittedPacketsReceived ?? 0;
        sum.freezes += report.freezeCount ?? 0;
        sum.frozenSeconds += report.totalFreezesDuration ?? 0;
        sum.packetsLost += report.packetsLost ?? 0;
      }
      if (report.type === 'outbound-rtp') {
        sum.nacked += report.nackCount ?? 0;
        sum.retransmittedSent += report.retransmittedPacketsSent ?? 0;
      }
    }
  }
  return sum;
}

/**
 * @typedef {object} Reception
 * @property {number} framesReceived
 * @property {number} framesDecoded
 * @property {number} framesDropped
 * @property {string[]} codecs in use, with the decoder's name where the browser tells it
 * @property {number} connections that the page has made
 * @property {number} stalls of the page
 * @property {number} nacks requests for packets, sent
 * @property {number} retransmitted packets that came again
 * @property {number} freezes
 * @property {number} frozenSeconds
 * @property {number} packetsLost
 * @property {number} nacked requests for packets, received
 * @property {number} retransmittedSent packets sent again
 */
