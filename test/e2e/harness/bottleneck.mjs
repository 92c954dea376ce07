/** One direction of a narrow link: it carries so many bits a second, and what has to wait for longer than its queue holds is lost. */

/** Of IPv4 and UDP, which take their share of a link. */
const headerBytes = 28;

export class Bottleneck {
  #bitsPerMS;
  #holdMS;
  /** When it will have carried all that it has taken. */
  #freeAt = 0;
  /** @type {{ leaves: number, send: () => void }[]} in order */
  #queue = [];
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  /** Datagrams. */
  count = { carried: 0, lost: 0 };

  /**
   * @param {number} kbps
   * @param {number} [holdMS] the longest wait in its queue
   */
  constructor(kbps, holdMS = 300) {
    this.#bitsPerMS = kbps;
    this.#holdMS = holdMS;
  }

  /**
   * @param {number} bytes of a datagram
   * @param {() => void} send called when it leaves, after all that came before it
   * @param {boolean} [precious] is not lost, however full the queue is
   */
  carry(bytes, send, precious = false) {
    const now = performance.now();
    const leaves = Math.max(now, this.#freeAt) + ((bytes + headerBytes) * 8) / this.#bitsPerMS;
    if (leaves - now > this.#holdMS && !precious) {
      this.count.lost += 1;
      return;
    }
    this.count.carried += 1;
    this.#freeAt = leaves;
    this.#queue.push({ leaves, send });
    this.#timer ??= setTimeout(this.#drain, leaves - now);
  }

  #drain = () => {
    this.#timer = undefined;
    const now = performance.now();
    while (this.#queue[0] && this.#queue[0].leaves <= now) this.#queue.shift()?.send();
    const next = this.#queue[0];
    if (next) this.#timer = setTimeout(this.#drain, Math.max(0, next.leaves - now));
  };

  /** What waits in it leaves now. */
  open() {
    for (const { send } of this.#queue) send();
    this.close();
  }

  /** What waits in it is lost. */
  close() {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
  }
}
