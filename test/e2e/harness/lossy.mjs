/**
 * A network that loses and delays, or has narrow links: a UDP relay between browsers and the server, the only address they know of it.
 * Connectivity checks (RFC 7983: their first byte is below 4) are delayed and never lost: whether a connection outlives lost checks is
 * another question than whether media survives.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { Bottleneck } from './bottleneck.mjs';

/** @typedef {{ loss: number, jitterMS: number }} Conditions loss is a share; each datagram is late by up to the jitter */
/** @typedef {{ up?: Bottleneck, down?: Bottleneck }} Link a client's, by direction; without one it is as wide as the machine */
/** @typedef {{ socket: import('node:dgram').Socket, link: Link }} Way between a client and the server */

export class LossyRelay {
  /** @type {Conditions} */
  #conditions = { loss: 0, jitterMS: 0 };
  #front = createSocket('udp4');
  /** @type {Map<string, Way>} by the client's address */
  #ways = new Map();
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
   * One client's link, from now on.
   *
   * @param {number} port of the client as the server sees it, which is one of the relay's
   * @param {{ upKbps?: number, downKbps?: number }} [rates] as wide as the machine where left out
   * @returns {Link}
   */
  narrow(port, { upKbps, downKbps } = {}) {
    const way = [...this.#ways.values()].find(({ socket }) => socket.address().port === port);
    if (!way) throw new Error(`nobody comes from port ${port}`);
    way.link.up?.open();
    way.link.down?.open();
    way.link = {
      ...(upKbps !== undefined && { up: new Bottleneck(upKbps) }),
      ...(downKbps !== undefined && { down: new Bottleneck(downKbps) }),
    };
    return way.link;
  }

  /**
   * @param {Buffer} data
   * @param {{ address: string, port: number }} from
   * @param {string} address
   * @param {{ host: string, port: number }} server
   */
  #up(data, from, address, server) {
    const key = `${from.address}:${from.port}`;
    const way = this.#ways.get(key) ?? this.#open(key, from, address);
    this.#carry(data, way.link.up, () => way.socket.send(data, server.port, server.host));
  }

  /**
   * @param {string} key
   * @param {{ address: string, port: number }} from
   * @param {string} address
   */
  #open(key, from, address) {
    /** @type {Way} */
    const way = { socket: createSocket('udp4'), link: {} };
    way.socket.bind(0, address);
    way.socket.on('message', (answer) =>
      this.#carry(answer, way.link.down, () => this.#front.send(answer, from.port, from.address)),
    );
    this.#ways.set(key, way);
    return way;
  }

  /** @param {Buffer} data @param {Bottleneck | undefined} narrow @param {() => void} send */
  #carry(data, narrow, send) {
    const { loss, jitterMS } = this.#conditions;
    const check = (data[0] ?? 0) < 4;
    if (!check && this.#dice() < loss) {
      this.count.lost += 1;
      return;
    }
    this.count.carried += 1;
    if (narrow) narrow.carry(data.length, send, check);
    else if (jitterMS === 0) send();
    else setTimeout(() => this.#closed || send(), this.#dice() * jitterMS);
  }

  /** After the browsers have gone. */
  close() {
    this.#closed = true;
    this.#front.close();
    for (const { socket, link } of this.#ways.values()) {
      link.up?.close();
      link.down?.close();
      socket.close();
    }
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
