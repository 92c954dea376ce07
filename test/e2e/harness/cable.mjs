/** A TCP path to a server that a test can cut, or clog: then nothing passes any more and neither end is told. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** @typedef {{ near: import('node:net').Socket, far: import('node:net').Socket, clogged: boolean }} Strand */

export class Cable {
  /** @type {Set<Strand>} */
  #strands = new Set();
  #listening;
  #url = '';

  /** @param {string} host @param {number} port of the server */
  constructor(host, port) {
    this.#listening = createServer((near) => this.#carry(near, connect(port, host)));
  }

  /** @param {string} url of a server */
  static async to(url) {
    const { hostname, port } = new URL(url);
    const cable = new Cable(hostname, Number(port));
    cable.#listening.listen(0, hostname);
    await once(cable.#listening, 'listening');
    const address = /** @type {import('node:net').AddressInfo} */ (cable.#listening.address());
    cable.#url = `${hostname}:${address.port}`;
    return cable;
  }

  /** The same link by way of the cable. @param {string} link */
  through(link) {
    const url = new URL(link);
    url.host = this.#url;
    return url.href;
  }

  /** @param {import('node:net').Socket} near @param {import('node:net').Socket} far */
  #carry(near, far) {
    const strand = { near, far, clogged: false };
    this.#strands.add(strand);
    const end = () => {
      if (strand.clogged) return;
      this.#strands.delete(strand);
      near.destroy();
      far.destroy();
    };
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      from?.setNoDelay(true);
      from?.on('data', (data) => {
        if (!strand.clogged) to?.write(data);
      });
      from?.on('error', () => undefined); // it closes, too
      from?.on('close', end);
    }
  }

  /** Resets every connection; new ones may come at once. */
  cut() {
    for (const { near, far } of this.#strands) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  /** Keeps the connections that are open now, and loses all that is sent on them. New ones are carried. */
  clog() {
    for (const strand of this.#strands) strand.clogged = true;
  }

  /** Ends what was clogged: both ends are told at last. */
  clear() {
    for (const strand of this.#strands) {
      if (!strand.clogged) continue;
      strand.clogged = false;
      strand.near.destroy();
    }
  }

  async close() {
    this.clear();
    for (const { near } of this.#strands) near.destroy();
    this.#listening.close();
    await once(this.#listening, 'close');
  }
}
