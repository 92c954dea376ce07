/** A server of the test's own, with a data folder of its own, and its REST API. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const built = fileURLToPath(new URL('../../../bin/anteroom', import.meta.url));

/**
 * @typedef {object} Options
 * @property {string} [host] IP address to listen on
 * @property {string[]} [flags] more flags of `anteroom serve`
 */

export class Server {
  /** Where pages come from. */
  url = '';
  /** The operator's endpoints. */
  admin = '';
  #key = '';
  #data = '';
  #log = '';
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #process;

  /** @param {Options} [options] */
  static async start({ host = '127.0.0.1', flags = [] } = {}) {
    const binary = process.env.ANTEROOM_BIN ?? built;
    await access(binary).catch(() => {
      throw new Error(`${binary} is not there; run: make build`);
    });
    const server = new Server();
    server.#data = await mkdtemp(join(tmpdir(), 'anteroom-e2e-'));
    const address = `${host}:0`;
    const args = ['serve', '--dev', '--json', '--listen', address, '--media', address];
    await server.#run(binary, [...args, '--data', server.#data, ...flags]);
    server.#key = (await readFile(join(server.#data, 'dev-key'), 'utf8')).trim();
    return server;
  }

  /**
   * @param {string} binary
   * @param {string[]} args
   */
  async #run(binary, args) {
    const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    child.stderr.on('data', (text) => (this.#log += text));
    const lines = createInterface({ input: child.stdout });
    const failed = once(child, 'exit').then(() => {
      throw new Error(`the server did not start:\n${this.#log}`);
    });
    const [line] = await Promise.race([once(lines, 'line'), failed]);
    failed.catch(() => undefined);
    const ready = JSON.parse(line);
    this.url = ready.url;
    this.admin = ready.admin;
  }

  /** What it has written to its log so far. */
  get log() {
    return this.#log;
  }

  /**
   * A call of the REST API with the clinic's key.
   *
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   */
  async call(method, path, body) {
    const answer = await fetch(this.url + path, {
      method,
      headers: { Authorization: `Bearer ${this.#key}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  async stop() {
    if (this.#process?.exitCode === null) {
      this.#process.kill('SIGTERM');
      await once(this.#process, 'exit');
    }
    await rm(this.#data, { recursive: true, force: true });
  }
}
