/** Firefox's own remote protocol: length-prefixed JSON over TCP, commands as in WebDriver. */
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export class Marionette {
  #socket;
  #buffer = Buffer.alloc(0);
  #lastId = 0;
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
  #waiting = new Map();

  /** @param {import('node:net').Socket} socket */
  constructor(socket) {
    this.#socket = socket;
    socket.on('data', (data) => this.#read(data));
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('Firefox is gone'));
      this.#waiting.clear();
    });
  }

  /** Tries until Firefox listens. @param {number} port @param {() => boolean} alive */
  static async connect(port, alive) {
    for (;;) {
      const socket = connect(port, '127.0.0.1');
      const open = await new Promise((resolve) => {
        socket.once('connect', () => resolve(true));
        socket.once('error', () => resolve(false));
      });
      if (open) return new Marionette(socket);
      if (!alive()) throw new Error('Firefox did not start');
      await pause(100);
    }
  }

  /**
   * @param {string} command such as WebDriver:Navigate
   * @param {object} [parameters]
   * @returns {Promise<any>}
   */
  send(command, parameters = {}) {
    this.#lastId += 1;
    const id = this.#lastId;
    const text = JSON.stringify([0, id, command, parameters]);
    this.#socket.write(`${Buffer.byteLength(text)}:${text}`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  close() {
    this.#socket.destroy();
  }

  /** @param {Buffer} data */
  #read(data) {
    this.#buffer = Buffer.concat([this.#buffer, data]);
    for (;;) {
      const colon = this.#buffer.indexOf(':');
      if (colon < 0) return;
      const end = colon + 1 + Number(this.#buffer.subarray(0, colon).toString());
      if (this.#buffer.length < end) return;
      const message = JSON.parse(this.#buffer.subarray(colon + 1, end).toString());
      this.#buffer = this.#buffer.subarray(end);
      if (Array.isArray(message)) this.#answer(message);
    }
  }

  /** @param {any[]} message type, id, error, result; the greeting is no list */
  #answer([, id, error, result]) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(new Error(`${error.error}: ${error.message}`));
    else waiting?.resolve(result);
  }
}
