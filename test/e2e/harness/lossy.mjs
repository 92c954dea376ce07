/**
 * A network that loses and delays: a UDP relay between browsers and the server, the only address they know of it. Connectivity checks
 * (RFC 7983: their first byte is below 4) are delayed and never lost: whether a connection outlives lost checks is another question
 * than whether media survives.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** @typedef {{ loss: number, jitterMS: number }} Conditions loss is a share; each datagram is late by up to the jitter */

export class LossyRelay {
  /** @type {Conditions} */
  #conditions = { loss: 0, jitterMS: 0 };
  #front = createSocket('udp4');
  /** @type {Map<string, import('node:dgram').Socket>} one towards the server for each client's address */
  #backs = new Map();
  #dice;
  #closed = false;
  /** Datagrams. */
  count = { carried: 0, lost: 0 };

  /** @param {number} seed */
  constructor(seed) {
    this.#dice = dice(seed);
  }

  /**
   * @param {string} address of the relay; its port is the server's
   * @param {string} media the server's IP:PORT
   * @param {number} [seed] of what is lost
   */
  static async start(address, media, seed = 1) {
    const relay = new LossyRelay(seed);
    const [host = '', digits] = media.split(':');
    const server = { host, port: Number(digits) };
    relay.#front.on('message', (data, from) => relay.#up(data, from, address, server));
    relay.#front.bind(server.port, address);
    await once(relay.#front, 'listening');
    return relay;
  }

  /** From now on. @param {Conditions} conditions */
  become(conditions) {
    this.#conditions = conditions;
  }

  /**
   * @param {Buffer} data
   * @param {{ address: string, port: number }} from
   * @param {string} address
   * @param {{ host: string, port: number }} server
   */
  #up(data, from, address, server) {
    const key = `${from.address}:${from.port}`;
    let back = this.#backs.get(key);
    if (!back) {
      back = createSocket('udp4');
      back.bind(0, address);
      back.on('message', (answer) =>
        this.#carry(answer, () => this.#front.send(answer, from.port, from.address)),
      );
      this.#backs.set(key, back);
    }
    const way = back;
    this.#carry(data, () => way.send(data, server.port, server.host));
  }

  /** @param {Buffer} data @param {() => void} send */
  #carry(data, send) {
    const { loss, jitterMS } = this.#conditions;
    const check = (data[0] ?? 0) < 4;
    if (!check && this.#dice() < loss) {
      this.count.lost += 1;
      return;
    }
    this.count.carried += 1;
    if (jitterMS === 0) send();
    else setTimeout(() => this.#closed || send(), this.#dice() * jitterMS);
  }

  /** After the browsers have gone. */
  close() {
    this.#closed = true;
    this.#front.close();
    for (const back of this.#backs.values()) back.close();
  }
}

/** Repeatable random numbers from 0 to 1 (mulberry32). @param {number} seed */
function dice(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
