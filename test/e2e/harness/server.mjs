/** A server of the test's own, with a data folder of its own, and its REST API. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const built = fileURLToPath(new URL('../../../bin/anteroom', import.meta.url));

/**
 * @typedef {object} Options
 * @property {string} [host] IP address to listen on
 * @property {string} [media] the same for media, if it is another
 * @property {string} [name] what the address is called in links, if the browser knows a name for it
 * @property {string} [namespace] network namespace to run in; all its ports are free
 * @property {string[]} [flags] more flags of `anteroom serve`
 * @property {string} [key] of the demo clinic, if another instance has made one already
 */

export class Server {
  static binary = process.env.ANTEROOM_BIN ?? built;

  /** What links begin with. */
  url = '';
  /** The operator's endpoints. */
  admin = '';
  /** Where it takes media, as IP:PORT. */
  media = '';
  #address = '';
  #key = '';
  #data = '';
  #log = '';
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #process;
  /** @type {[binary: string, args: string[]]} */
  #command = ['', []];

  /** @param {Options} [options] */
  static async start({ host = '127.0.0.1', media = host, name, namespace, flags = [], key } = {}) {
    const { binary } = Server;
    await access(binary).catch(() => {
      throw new Error(`${binary} is not there; run: make build`);
    });
    const server = new Server();
    server.#data = await mkdtemp(join(tmpdir(), 'anteroom-e2e-'));
    if (key) await writeFile(join(server.#data, 'dev-key'), key);
    const port = namespace ? 8080 : await freePort(host);
    server.#address = `${host}:${port}`;
    const args = ['serve', '--dev', '--json', '--data', server.#data, ...flags];
    args.push('--listen', server.#address, '--media', `${media}:0`, '--admin', `${host}:0`);
    if (name) args.push('--public-url', `http://${name}:${port}`);
    if (namespace) await server.#run('ip', ['netns', 'exec', namespace, binary, ...args]);
    else await server.#run(binary, args);
    server.#key = (await readFile(join(server.#data, 'dev-key'), 'utf8')).trim();
    return server;
  }

  /**
   * @param {string} binary
   * @param {string[]} args
   */
  async #run(binary, args) {
    this.#command = [binary, args];
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
    this.media = ready.media;
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
    const answer = await fetch(`http://${this.#address}${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.#key}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  /**
   * A count of its media plane.
   *
   * @param {'forbidden' | 'forwarded'} what RTP packets of people who may not send, or passed on
   * @returns {Promise<number>}
   */
  packets(what) {
    return this.count(`anteroom_media_packets_total{what="${what}"}`);
  }

  /**
   * A series of its metrics.
   *
   * @param {string} series with its labels as they are written there
   * @returns {Promise<number>}
   */
  async count(series) {
    const text = await (await fetch(`${this.admin}/metrics`)).text();
    const line = text.split('\n').find((one) => one.startsWith(`${series} `));
    if (line === undefined) throw new Error(`the server does not count ${series}`);
    return Number(line.slice(series.length));
  }

  /** The clinic's key. */
  get key() {
    return this.#key;
  }

  /** Ends it as a power cut does. */
  async kill() {
    this.#process?.kill('SIGKILL');
    if (this.#process?.exitCode === null) await once(this.#process, 'exit');
  }

  /** Asks it to stop and waits until it has. */
  async terminate() {
    if (this.#process?.exitCode !== null) return;
    this.#process.kill('SIGTERM');
    await once(this.#process, 'exit');
  }

  /** Starts it again at its address, with its data. */
  async restart() {
    await this.#run(...this.#command);
  }

  async stop() {
    await this.terminate();
    await rm(this.#data, { recursive: true, force: true });
  }
}

/** A port that nobody has now; links have to name it before the server listens. @param {string} host */
export async function freePort(host) {
  const probe = createServer().listen(0, host);
  await once(probe, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address());
  probe.close();
  await once(probe, 'close');
  return port;
}
