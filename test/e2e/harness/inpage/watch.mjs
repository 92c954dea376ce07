/**
 * Runs in a page before its scripts, and notes what cannot be seen from outside: connections made and
 * negotiated, notes that were struck, elements that play sound. Changes nothing.
 */
export function watch() {
  /** @type {Watched} */
  const watched = { peers: [], negotiations: 0, notes: [], speakers: new Set() };
  Object.assign(window, { watched });

  const Peer = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    /** @param {RTCConfiguration} [configuration] */
    constructor(configuration) {
      super(configuration);
      watched.peers.push(this);
    }

    /** @param {any} args */
    setLocalDescription(...args) {
      watched.negotiations += 1;
      return super.setLocalDescription(...args);
    }
  };

  const { start } = OscillatorNode.prototype;
  OscillatorNode.prototype.start = function (when = 0) {
    watched.notes.push({ hertz: this.frequency.value, when, context: this.context });
    start.call(this, when);
  };

  const { play } = HTMLMediaElement.prototype;
  HTMLMediaElement.prototype.play = function () {
    if (this instanceof HTMLAudioElement) watched.speakers.add(this);
    return play.call(this);
  };
}

/**
 * @typedef {object} Watched
 * @property {RTCPeerConnection[]} peers every connection the page has made
 * @property {number} negotiations calls of setLocalDescription
 * @property {{ hertz: number, when: number, context: BaseAudioContext }[]} notes
 * @property {Set<HTMLAudioElement>} speakers elements that were told to play
 */
