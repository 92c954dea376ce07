/** The browser driver and the accessibility rules, as the web client's lock file pins them. */
import { createRequire } from 'node:module';

const ofWeb = createRequire(new URL('../../../web/package.json', import.meta.url));

/** @type {typeof import('playwright-core')} */
export const playwright = ofWeb('playwright-core');

/** @type {string} */
export const axeScript = ofWeb.resolve('axe-core/axe.min.js');
