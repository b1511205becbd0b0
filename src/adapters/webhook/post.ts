/** One POST over a connection of its own: no proxy, no redirect, bounded in time and in bytes. */

import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';

/** An answer is only read so that its sender may end in peace. */
const MAX_ANSWER_BYTES = 65_536;

/** Own agents: the global ones may be set to use proxies. */
const PLAIN = new http.Agent({ keepAlive: false });
const SECURE = new https.Agent({ keepAlive: false, rejectUnauthorized: true });

export interface Post {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly lookup: LookupFunction;
  /** For the look-up, the connection, the request and the answer together. */
  readonly timeoutMs: number;
}

/** Resolves to the status of the answer; rejects where none came in time. */
export async function post(url: URL, { headers, body, lookup, timeoutMs }: Post): Promise<number> {
  const isSecure = url.protocol === 'https:';
  const signal = AbortSignal.timeout(timeoutMs);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const request = (isSecure ? https : http).request(url, {
    method: 'POST',
    agent: isSecure ? SECURE : PLAIN,
    headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
    lookup,
    signal,
  });
  let status: number | null = null;
  const over = (error: unknown): void => {
    if (status !== null) resolve(status);
    else reject(signal.aborted ? (signal.reason as Error) : error);
  };
  request.on('response', (response) => {
    status = response.statusCode ?? 0;
    let sizeBytes = 0;
    response.on('data', (block: Buffer) => {
      sizeBytes += block.length;
      if (sizeBytes > MAX_ANSWER_BYTES) response.destroy();
    });
    // Whatever becomes of the rest, the receiver has said how it stands.
    response.on('error', over);
    response.on('close', over);
  });
  request.on('error', over);
  request.end(body);
  return promise;
}
