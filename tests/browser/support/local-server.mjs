/** Servers on this machine that tests start. */

/**
 * Starts a server at a free port.
 * @param {import('node:http').Server} server
 * @returns {Promise<{origin: string, close: () => Promise<void>}>}
 */
export async function startServer(server) {
  await new Promise((done) => server.listen(0, '127.0.0.1', () => done(undefined)));
  return {
    origin: `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
