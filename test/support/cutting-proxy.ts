/** A way to a server that breaks in the middle, as often as a test wants. */

import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

import { onTestFinished } from 'vitest';

export interface CuttingProxy {
  readonly url: string;
  /** Bytes that came from the server so far. */
  bytes(): number;
  /** The next so many connections on which more than this comes from the server are cut there. */
  cutAfter(bytes: number, times: number): void;
  /** How many were cut. */
  cuts(): number;
  /** Cuts everything that is open. */
  cutAll(): void;
}

/** Goes with the test. */
export async function openCuttingProxy(target: string): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  let passed = 0;
  let cuts = 0;
  let limit = Number.POSITIVE_INFINITY;
  let left = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    let came = 0;
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      socket.on('error', () => undefined);
    }
    const cut = (): void => {
      client.destroy();
      upstream.destroy();
    };
    client.pipe(upstream);
    upstream.on('data', (block: Buffer) => {
      const room = left > 0 ? Math.max(0, limit - came) : block.length;
      const piece = block.subarray(0, room);
      came += piece.length;
      passed += piece.length;
      if (piece.length === block.length) {
        if (!client.write(piece)) upstream.pause();
        return;
      }
      left -= 1;
      cuts += 1;
      client.write(piece, cut);
    });
    client.on('drain', () => upstream.resume());
    upstream.once('end', () => client.end());
    client.once('close', () => upstream.destroy());
    upstream.once('close', () => client.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bytes: () => passed,
    cutAfter: (bytes, times) => {
      limit = bytes;
      left = times;
    },
    cuts: () => cuts,
    cutAll: () => {
      for (const socket of open) socket.destroy();
    },
  };
}
