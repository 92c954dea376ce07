/** Three servers on one Redis behind a load balancer that looks at nothing. */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, Server } from './server.mjs';
import { until } from './until.mjs';

const host = '127.0.0.1';
const size = 3;

export class Cluster {
  /** @type {Server[]} */
  servers = [];
  #data = '';
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #redis;
  #turn = 0;
  #balancer = createServer((from) => this.#carry(from, this.servers.length));

  static async start() {
    const cluster = new Cluster();
    const data = await mkdtemp(join(tmpdir(), 'anteroom-cluster-'));
    cluster.#data = data;
    const port = await freePort(host);
    const files = ['--dir', data, '--appendonly', 'yes', '--save', ''];
    const redis = spawn('redis-server', ['--bind', host, '--port', String(port), ...files]);
    cluster.#redis = redis;
    const answers = async () => {
      const socket = connect(port, host);
      const [event] = await Promise.race([
        once(socket, 'connect').then(() => ['connect']),
        once(socket, 'close').then(() => ['close']),
      ]).catch(() => ['error']);
      socket.destroy();
      return event === 'connect';
    };
    await until('Redis answers', answers);
    const [secret, keys] = [join(data, 'secret'), join(data, 'seal-keys')];
    await writeFile(secret, randomBytes(32).toString('base64'), { mode: 0o600 });
    await writeFile(keys, execFileSync(Server.binary, ['store', 'key', '--after', '0s']), {
      mode: 0o600,
    });
    const flags = ['--store', 'redis', '--redis', `${host}:${port}`, '--hop', `${host}:0`];
    flags.push('--secret', secret, '--seal-keys', keys);
    for (let i = 0; i < size; i += 1) {
      cluster.servers.push(await Server.start({ flags, key: cluster.servers[0]?.key }));
    }
    cluster.#balancer.listen(0, host);
    await once(cluster.#balancer, 'listening');
    return cluster;
  }

  /** By way of the balancer. @param {string} link */
  through(link) {
    const url = new URL(link);
    const address = /** @type {import('node:net').AddressInfo} */ (this.#balancer.address());
    url.host = `${host}:${address.port}`;
    return url.href;
  }

  /** The server that has the one waiting room there is. */
  async owner() {
    for (const server of this.servers) {
      const leases = await server.count('anteroom_leases').catch(() => 0); // it may be stopped
      if (leases > 0) return server;
    }
    throw new Error('nobody has the room');
  }

  /** Brings a connection to one server after the other until one takes it. @param {import('node:net').Socket} from @param {number} tries */
  #carry(from, tries) {
    const server = this.servers[(this.#turn += 1) % this.servers.length];
    if (!server || tries === 0) {
      from.destroy();
      return;
    }
    const { hostname, port } = new URL(server.url);
    const to = connect(Number(port), hostname);
    let taken = false;
    to.setNoDelay(true);
    from.setNoDelay(true);
    to.once('connect', () => {
      taken = true;
      from.pipe(to);
      to.pipe(from);
    });
    to.on('error', () => undefined); // it closes, too
    from.on('error', () => undefined);
    to.on('close', () => {
      if (taken) from.destroy();
      else this.#carry(from, tries - 1);
    });
    from.on('close', () => to.destroy());
  }

  async stop() {
    await new Promise((closed) => {
      this.#balancer.close(closed);
    });
    for (const server of this.servers) await server.stop();
    this.#redis?.kill();
    if (this.#redis?.exitCode === null) await once(this.#redis, 'exit');
    await rm(this.#data, { recursive: true, force: true });
  }
}
