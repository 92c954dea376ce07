/** Firefox, as far as the tests need it: one tab, clicks, and functions that run in the page. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Marionette } from './marionette.mjs';
import { freePort } from './server.mjs';
import { address } from './wire.mjs';

const preferences = {
  'dom.securecontext.allowlist': address,
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'media.gmp-manager.updateEnabled': false,
};

export class Firefox {
  #process;
  #profile;
  #marionette;

  /**
   * @param {import('node:child_process').ChildProcess} process
   * @param {string} profile
   * @param {Marionette} marionette
   */
  constructor(process, profile, marionette) {
    this.#process = process;
    this.#profile = profile;
    this.#marionette = marionette;
  }

  static async launch() {
    const profile = await mkdtemp(join(tmpdir(), 'anteroom-firefox-'));
    const port = await freePort('127.0.0.1');
    const lines = Object.entries({ ...preferences, 'marionette.port': port }).map(
      ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
    );
    await writeFile(join(profile, 'user.js'), lines.join('\n'));
    const binary = process.env.FIREFOX ?? '/usr/bin/firefox-esr';
    const flags = ['--headless', '--marionette', '--no-remote', '--profile', profile];
    const child = spawn(binary, flags, { stdio: 'ignore' });
    const marionette = await Marionette.connect(port, () => child.exitCode === null);
    await marionette.send('WebDriver:NewSession', {});
    return new Firefox(child, profile, marionette);
  }

  /** @param {string} url */
  open(url) {
    return this.#marionette.send('WebDriver:Navigate', { url });
  }

  /** A click of a person, who may make the page play sound. @param {string} path XPath of one element */
  async click(path) {
    const { value } = await this.#marionette.send('WebDriver:FindElement', {
      using: 'xpath',
      value: path,
    });
    const [id] = Object.values(value);
    await this.#marionette.send('WebDriver:ElementClick', { id });
  }

  /**
   * Runs a function in the page; what it resolves to comes back.
   *
   * @template A
   * @template R
   * @param {(argument: A) => R} run
   * @param {A} argument
   * @returns {Promise<Awaited<R>>}
   */
  async evaluate(run, argument) {
    const script = `
      const done = arguments[1];
      Promise.resolve((${run})(arguments[0])).then(done, (error) => done(String(error)));`;
    const answer = await this.#marionette.send('WebDriver:ExecuteAsyncScript', {
      script,
      args: [argument],
    });
    return answer.value;
  }

  async close() {
    this.#marionette.close();
    if (this.#process.exitCode === null) {
      this.#process.kill('SIGTERM');
      await once(this.#process, 'exit');
    }
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
