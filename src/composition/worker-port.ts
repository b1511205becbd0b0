/** The port of a worker process: says on this machine that it lives, and its numbers. */

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Refusal } from '../domain/errors.ts';
import type { Metrics } from '../ports/metrics.ts';

const ADDRESS = '127.0.0.1';

/** Nobody has more to send than a short GET. */
const REQUEST_TIMEOUT_MS = 5_000;

export interface WorkerPort {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * GET /healthz answers 200 as soon as the port is open: the process turns its event loop. GET
 * /metrics answers 503 until there are some. Port 0: any free one. Throws a Refusal where the
 * port is taken or not allowed.
 */
export async function openWorkerPort(
  port: number,
  metrics: () => Metrics | null,
): Promise<WorkerPort> {
  const server = createServer((request, response) => {
    answer(request, response, metrics).catch(() => response.destroy());
  });
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.listen(port, ADDRESS);
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const way = 'choose another with --port, or end what listens there.';
    const message = `${ADDRESS}, port ${port} cannot be used (${code}): ${way}`;
    throw new Refusal('configuration', message);
  }
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function answer(
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
  metrics: () => Metrics | null,
): Promise<void> {
  const [path] = url.split('?');
  response.setHeader('cache-control', 'no-store');
  if (method !== 'GET' && method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
  } else if (path === '/healthz') {
    response.setHeader('content-type', 'application/json');
    response.end('{"status":"ok"}\n');
  } else if (path === '/metrics') {
    const known = metrics();
    if (known === null) {
      response.writeHead(503, { 'retry-after': '1' }).end();
      return;
    }
    const text = await known.text();
    response.setHeader('content-type', known.contentType);
    response.end(text);
  } else {
    response.writeHead(404).end();
  }
}
