/** One private Redis for all cases of a run, reached over TCP as an operator's server is. */

import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { startTestRedis } from '../support/redis.ts';

/** Resolves when it answers at `url`; `close` ends it. */
export async function startPrivateRedis(): Promise<{ url: string; close(): Promise<void> }> {
  const server = await startTestRedis();
  const redis = server.connect('producer');
  const port = await freePort();
  await redis.config('SET', 'bind', '127.0.0.1');
  await redis.config('SET', 'port', String(port));
  return { url: `redis://127.0.0.1:${port}`, close: () => server.close() };
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
