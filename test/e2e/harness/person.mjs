/** Somebody of a test: a browser context of their own, a coded picture, a tone, eyes and ears. */
import { impersonate } from './inpage/impersonate.mjs';
import { isCovered, listen, look, notesHeard, route, traffic, voices } from './inpage/senses.mjs';
import { watch } from './inpage/watch.mjs';
import { until } from './until.mjs';

/** Apart enough, and off the notes of the chimes. */
const hertzOf = (/** @type {number} */ number) => 900 + 300 * number;
const heardDB = -50;

/**
 * @typedef {object} Options
 * @property {import('playwright-core').BrowserContextOptions} [device]
 * @property {boolean} [coded] own picture and tone in place of the browser's fake devices; true if left out
 * @property {number} [framesPerSecond] of the coded picture; few, because all encoders of a test share a machine
 * @property {boolean} [grain] the coded picture takes all the bits it may
 * @property {Person} [beside] opens a second tab in this person's browser, with their picture and tone
 * @property {boolean} [bypassCSP] lets instruments of a test load what the page's policy forbids
 * @property {(() => void)[]} [before] more functions that run in each page before its scripts
 */

export class Person {
  /**
   * @param {string} name
   * @param {number} number what their picture says
   * @param {import('playwright-core').Page} page
   */
  constructor(name, number, page) {
    this.name = name;
    this.number = number;
    this.page = page;
    /** @type {string[]} errors of the page, which no test expects */
    this.errors = [];
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => this.errors.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(message.text());
    });
  }

  /**
   * @template {Person} P
   * @param {new (name: string, number: number, page: import('playwright-core').Page) => P} Kind
   * @param {import('playwright-core').Browser} browser
   * @param {string} name
   * @param {number} number
   * @param {Options} [options]
   * @returns {Promise<P>}
   */
  static async make(Kind, browser, name, number, options = {}) {
    const {
      device = {},
      coded = true,
      beside,
      bypassCSP = false,
      framesPerSecond = 15,
      grain = false,
      before = [],
    } = options;
    if (beside) return new Kind(name, beside.number, await beside.page.context().newPage());
    const context = await browser.newContext({
      locale: 'en-GB',
      reducedMotion: 'reduce',
      bypassCSP,
      ...device,
    });
    await context.addInitScript(watch);
    if (coded) {
      const of = { number, hertz: hertzOf(number), framesPerSecond, grain };
      await context.addInitScript(impersonate, of);
    }
    for (const script of before) await context.addInitScript(script);
    return new Kind(name, number, await context.newPage());
  }

  get hertz() {
    return hertzOf(this.number);
  }

  /** @param {string} id of the stable hooks, see docs/testing.md */
  hook(id) {
    return this.page.getByTestId(id);
  }

  /** The picture of another person on this person's page. */
  pictureOf(/** @type {{ seat: string }} */ { seat }) {
    return this.page.locator(`[data-testid="remote-video"][data-seat="${seat}"]`);
  }

  /**
   * Sees the other person, by number, uncovered and moving.
   *
   * @param {{ name: string, number: number, seat: string }} other
   */
  async sees(other) {
    const picture = this.pictureOf(other);
    /** @type {Set<number>} */
    const counts = new Set();
    const glance = async () => ({
      covered: await picture.evaluate(isCovered),
      shows: await picture.evaluate(look),
    });
    await until(
      `${this.name} sees ${other.name} move`,
      async () => {
        const { covered, shows } = await glance();
        if (!covered && shows?.number === other.number) counts.add(shows.count);
        return counts.size >= 3;
      },
      { tell: glance },
    );
  }

  /**
   * Does not see the other person: what their picture showed last is covered.
   *
   * @param {{ name: string, seat: string }} other
   */
  async covers(other) {
    await until(`${this.name} no longer sees ${other.name}`, () =>
      this.pictureOf(other).evaluate(isCovered),
    );
  }

  /** @param {string} text of a message */
  async read(text) {
    await until(
      `${this.name} reads '${text}'`,
      async () => (await this.hook('chat-log').textContent())?.includes(text),
      { tell: () => this.hook('chat-log').textContent() },
    );
  }

  /**
   * Hears exactly these people.
   *
   * @param {Person[]} others
   * @param {Person[]} everybody
   */
  async hears(others, everybody) {
    const tones = everybody.map(({ hertz }) => hertz);
    const right = everybody.map((person) => others.includes(person));
    await until(
      `${this.name} hears ${others.map(({ name }) => name).join(' and ') || 'nobody'}`,
      async () => {
        const levels = await this.page.evaluate(listen, tones);
        const played = await this.page.evaluate(voices);
        return levels.every((level, i) => level > heardDB === right[i]) && played === others.length;
      },
      {
        tell: async () => ({
          levels: await this.page.evaluate(listen, tones),
          played: await this.page.evaluate(voices),
        }),
      },
    );
  }

  traffic() {
    return this.page.evaluate(traffic);
  }

  route() {
    return until(`${this.name} is connected`, () => this.page.evaluate(route));
  }

  notesHeard() {
    return this.page.evaluate(notesHeard);
  }

  /** How many connections this page has made, and how often it has negotiated. */
  negotiated() {
    return this.page.evaluate(() => {
      const { peers, negotiations } = /** @type {any} */ (window).watched;
      return { peers: peers.length, negotiations };
    });
  }

  /** The media connection is up. */
  async connected() {
    await until(
      `${this.name} is connected for media`,
      async () => (await this.traffic()).connected,
    );
  }

  /** As after the browser's prompt: it will not ask again. */
  allow() {
    return this.page.context().grantPermissions(['camera', 'microphone']);
  }

  close() {
    return this.page.context().close();
  }
}
