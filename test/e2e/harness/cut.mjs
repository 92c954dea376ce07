/** A signaling line that a test can cut, while everything else of the page goes on. */

/**
 * Before the page is loaded.
 *
 * @param {import('playwright-core').Page} page
 */
export async function cuttable(page) {
  /** @type {Set<import('playwright-core').WebSocketRoute>} */
  const open = new Set();
  let broken = false;
  const wire = {
    /** connections that were tried while the line was cut */
    refused: 0,
    async cut() {
      broken = true;
      for (const socket of open) await socket.close({ code: 3000, reason: 'cut' });
      open.clear();
    },
    mend() {
      broken = false;
    },
  };
  await page.routeWebSocket(/\/v1\/signal$/, async (socket) => {
    if (broken) {
      wire.refused += 1;
      await socket.close({ code: 3000, reason: 'cut' });
      return;
    }
    open.add(socket);
    socket.connectToServer();
  });
  return wire;
}
