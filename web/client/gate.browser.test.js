/**
 * The built gate in a real browser: an armed sender encodes and sends no RTP packet; opened, its first
 * frame can be decoded; closed again, nothing more leaves. Run it after `npm run build`.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const assets = join(import.meta.dirname, '../dist/lib/assets');
const worker = readdirSync(assets).find((name) => name.startsWith('gate.worker'));
if (!worker) throw new Error('no gate in dist/lib: run `npm run build` first');

const server = createServer((request, response) => {
  const script = request.url === '/gate.js';
  response.setHeader('Content-Type', script ? 'text/javascript' : 'text/html');
  response.end(script ? readFileSync(join(assets, worker)) : '<canvas></canvas>');
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-features=WebRtcHideLocalIpsWithMdns'],
});
try {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.evaluate(connect);

  const armed = await counts(page, ({ encoded }) => encoded >= 10);
  assert.equal(armed.packets, 0, 'an armed sender sent RTP packets');

  await tell(page, true);
  const open = await counts(page, ({ decoded }) => decoded > 0);
  assert.ok(open.packets > 0);

  await tell(page, false);
  // Frames that had passed the gate may still be on their way out; after a few more there are none.
  const closing = await counts(page, ({ encoded }) => encoded >= open.encoded + 10);
  const closed = await counts(page, ({ encoded }) => encoded >= closing.encoded + 10);
  assert.equal(closed.packets, closing.packets, 'a closed gate let packets through');
  console.log(`gate: 0 packets in ${armed.encoded} armed frames, ${closed.packets} while open`);
} finally {
  await browser.close();
  server.close();
}

/** Waits until the counters of both ends are as wanted; returns them. */
async function counts(page, wanted) {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    const now = await page.evaluate(read);
    if (wanted(now)) return now;
  }
  throw new Error(`after 20 s still not: ${wanted.toString()}`);
}

/** Runs in the page: what has been encoded, sent and decoded until the next frame. */
async function read() {
  await new Promise(requestAnimationFrame);
  const of = async (pc, type) =>
    [...(await pc.getStats()).values()].find((report) => report.type === type) ?? {};
  const out = await of(window.sender, 'outbound-rtp');
  const into = await of(window.receiver, 'inbound-rtp');
  return {
    encoded: out.framesEncoded ?? 0,
    packets: out.packetsSent ?? 0,
    decoded: into.framesDecoded ?? 0,
  };
}

/** Moves the gate. A picture of another size starts with a key frame, as it does after the server's PLI. */
function tell(page, open) {
  return page.evaluate((on) => {
    window.gate.postMessage({ tell: 'gate', gate: 1, open: on });
    document.querySelector('canvas').width += 20;
  }, open);
}

/** Runs in the page: a moving picture, sent to a second connection through a gate that is closed. */
async function connect() {
  const canvas = document.querySelector('canvas').getContext('2d');
  setInterval(() => {
    canvas.fillStyle = `hsl(${Date.now() % 360} 80% 50%)`;
    canvas.fillRect(0, 0, 300, 150);
  }, 50);
  window.gate = new Worker('/gate.js', { type: 'module' });
  const [sender, receiver] = [new RTCPeerConnection(), new RTCPeerConnection()];
  Object.assign(window, { sender, receiver });
  sender.onicecandidate = ({ candidate }) => receiver.addIceCandidate(candidate ?? undefined);
  receiver.onicecandidate = ({ candidate }) => sender.addIceCandidate(candidate ?? undefined);
  const [track] = canvas.canvas.captureStream(20).getTracks();
  const video = sender.addTransceiver(track, { direction: 'sendonly' });
  video.sender.transform = new RTCRtpScriptTransform(window.gate, { gate: 1, kind: 'video' });
  await sender.setLocalDescription();
  await receiver.setRemoteDescription(sender.localDescription);
  await receiver.setLocalDescription();
  await sender.setRemoteDescription(receiver.localDescription);
}
