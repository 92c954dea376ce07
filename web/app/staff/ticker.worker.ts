/** A second hand that a background tab does not slow down, as it would a page's own timers. */
setInterval(() => {
  postMessage(null);
}, 1000);
