/**
 * The HTTP server under the app: its time limits, and how it ends. Node's own limit for a whole
 * request, 300 s, would cut every longer upload, so only headers and silence are limited.
 */

import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const HEADERS_MS = 15_000;
/** Node's own 30 s would let slow headers live three times as long. */
const CHECK_MS = 5_000;
const KEEP_ALIVE_MS = 65_000;

/** Between two looks for idle connections while the server ends. */
const IDLE_LOOK_MS = 50;

/** Bytes of all headers together. */
const MAX_HEADER_BYTES = 16 * 1024;

export interface Listening {
  readonly host: string;
  /** The one that was taken where 0 was asked for. */
  readonly port: number;
  /**
   * Takes no new connections, ends those that idle, and waits for running requests at most so
   * long; what still runs then is cut.
   */
  close(graceMs: number): Promise<void>;
}

/** Listens. Rejects with the system's error where the address cannot be had. */
export async function listen(
  app: RequestListener,
  { host, port }: { host: string; port: number },
): Promise<Listening> {
  const server = createServer(
    { maxHeaderSize: MAX_HEADER_BYTES, connectionsCheckingInterval: CHECK_MS },
    app,
  );
  server.requestTimeout = 0;
  server.headersTimeout = HEADERS_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address() as AddressInfo;
  return { host, port: address.port, close: (graceMs) => closed(server, graceMs) };
}

async function closed(server: Server, graceMs: number): Promise<void> {
  const ended = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  // A connection whose request ends now idles from then on.
  const idleTimer = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS);
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await ended;
  clearInterval(idleTimer);
  clearTimeout(timer);
}
