/** A test's stage: one server and one browser, and what is kept of them when a test fails. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'node:test';
import { launchChromium } from './browser.mjs';
import { Clinic } from './clinic.mjs';
import { Clinician } from './clinician.mjs';
import { Person } from './person.mjs';
import { Server } from './server.mjs';
import { phone, Visitor } from './visitor.mjs';

const results = fileURLToPath(new URL('../../../test-results/', import.meta.url));

export class Stage {
  /** @type {Person[]} */
  #people = [];
  #numbers = 0;

  /**
   * @param {Server} server
   * @param {import('playwright-core').Browser} browser
   */
  constructor(server, browser) {
    this.server = server;
    this.browser = browser;
  }

  clinic() {
    return Clinic.make(this.server);
  }

  /**
   * A patient or guest at a phone.
   *
   * @param {string} name
   * @param {import('./person.mjs').Options} [options]
   */
  visitor(name, options = {}) {
    return this.#enter(Visitor, name, { device: phone, ...options });
  }

  /**
   * @param {string} name
   * @param {import('./person.mjs').Options} [options]
   */
  clinician(name, options = {}) {
    return this.#enter(Clinician, name, {
      device: { viewport: { width: 1280, height: 800 } },
      ...options,
    });
  }

  /**
   * @template {Person} P
   * @param {new (name: string, number: number, page: import('playwright-core').Page) => P} Kind
   * @param {string} name
   * @param {import('./person.mjs').Options} options
   */
  async #enter(Kind, name, options) {
    this.#numbers += 1;
    const person = await Person.make(Kind, this.browser, name, this.#numbers, options);
    this.#people.push(person);
    return person;
  }

  /** What everybody's page looked like, and what the server and the pages said. */
  async keep(/** @type {string} */ name) {
    const folder = join(results, name.replace(/\W+/g, '-'));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'server.log'), this.server.log);
    for (const { name: who, page, errors } of this.#people) {
      await writeFile(join(folder, `${who}.log`), errors.join('\n'));
      await page.screenshot({ path: join(folder, `${who}.png`) }).catch(() => undefined);
    }
  }

  /** Somebody closes their browser. @param {Person} person */
  async leave(person) {
    this.#people = this.#people.filter((other) => other !== person);
    await person.close();
  }
}

/**
 * A test with a stage of its own.
 *
 * @param {string} name
 * @param {(stage: Stage) => Promise<void>} play
 * @param {{ timeout?: number, server?: import('./server.mjs').Options, chromium?: Parameters<typeof launchChromium>[0] }} [options]
 */
export function onStage(name, play, options = {}) {
  test(name, { timeout: options.timeout ?? 120_000 }, async () => {
    const server = await Server.start(options.server);
    const browser = await launchChromium(options.chromium).catch(async (error) => {
      await server.stop();
      throw error;
    });
    const stage = new Stage(server, browser);
    try {
      await play(stage);
    } catch (error) {
      await stage.keep(name);
      throw error;
    } finally {
      await browser.close();
      await server.stop();
    }
  });
}
