/**
 * Runs in a page before its scripts, and makes it build its WebRTC connection only when it is
 * admitted: until then the server's views are read as if they asked for none.
 */
export function coldPeer() {
  /** @param {string} text of a message from the server */
  const cooled = (text) => {
    const message = JSON.parse(text);
    const view = message.t === 'view' ? message.d : message.d?.view;
    if (view && !view.send) view.connect = false;
    return JSON.stringify(message);
  };
  const { addEventListener } = EventTarget.prototype;
  /** @param {any[]} args */
  WebSocket.prototype.addEventListener = function (...args) {
    const [type, listener, options] = args;
    const hear =
      type === 'message'
        ? (/** @type {MessageEvent} */ { data }) =>
            listener(new MessageEvent('message', { data: cooled(data) }))
        : listener;
    addEventListener.call(this, type, hear, options);
  };
}
