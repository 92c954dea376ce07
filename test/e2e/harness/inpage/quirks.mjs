/** What a test takes away from a browser, or makes it do. Each function runs in a page before its scripts. */

/** Media may go through TURN only. */
export function relayOnly() {
  const Peer = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    /** @param {RTCConfiguration} [configuration] */
    constructor(configuration) {
      super({ ...configuration, iceTransportPolicy: 'relay' });
    }
  };
}

/** A browser that cannot look at encoded frames. */
export function withoutTransforms() {
  Reflect.deleteProperty(window, 'RTCRtpScriptTransform');
}

/** An in-app browser whose app does not hand the camera on. */
export function withoutCapture() {
  Object.defineProperty(Navigator.prototype, 'mediaDevices', { value: undefined });
}

/** Another program has the devices. */
export function devicesInUse() {
  navigator.mediaDevices.getUserMedia = () =>
    Promise.reject(new DOMException('Could not start video source', 'NotReadableError'));
}
