/** Chromium with what WebRTC on one machine needs. */
import { chromium } from 'playwright-core';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--use-fake-device-for-media-stream',
  '--allow-loopback-in-peer-connection',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
];

/**
 * @param {object} [options]
 * @param {string[]} [options.args] more flags
 * @param {string[]} [options.without] flags to leave out
 * @param {boolean} [options.allow] answers the prompt for camera and microphone with yes
 * @param {boolean} [options.keepPages] has the back-forward cache, which Playwright switches off
 * @returns {Promise<import('playwright-core').Browser>}
 */
export function launchChromium({ args = [], without = [], allow = false, keepPages = false } = {}) {
  const prompt = allow ? ['--use-fake-ui-for-media-stream'] : [];
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    ...(keepPages && { ignoreDefaultArgs: ['--disable-back-forward-cache'] }),
    args: [...flags, ...prompt, ...args].filter((flag) => !without.includes(flag)),
  });
}
