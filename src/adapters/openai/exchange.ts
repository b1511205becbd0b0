/**
 * One HTTP exchange: one request on the wire, never repeated, no redirect followed. The global
 * fetch cannot promise that: it answers a 421 by sending a POST a second time.
 */

import http from 'node:http';
import https from 'node:https';

export interface Destroyable {
  destroy(error?: Error): unknown;
}

export interface ExchangeOptions {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly signal?: AbortSignal;
  /** Null: a connection of its own, so that no stale one can lose the request. */
  readonly agents: Agents | null;
}

/** Pools of idle connections that calls without effect may share. */
export interface Agents {
  readonly http: http.Agent;
  readonly https: https.Agent;
}

/** An answer read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Answers other than file contents are objects and pages of them: this is far above any. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_SOCKETS = 32;

/** Opens the request; the caller writes its body and ends it. */
export function openRequest(url: URL, options: ExchangeOptions): http.ClientRequest {
  const { agents, method, headers } = options;
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  return url.protocol === 'https:'
    ? https.request(url, { method, headers, ...signal, agent: agents?.https ?? false })
    : http.request(url, { method, headers, ...signal, agent: agents?.http ?? false });
}

/** Connections that stay open for the next call; idle ones do not keep the process alive. */
export function createAgents(): Agents {
  const options = { keepAlive: true, maxSockets: MAX_SOCKETS };
  return { http: new http.Agent(options), https: new https.Agent(options) };
}

/** The head of the answer; rejects with the network's error where none comes. */
export function headOf(request: http.ClientRequest): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    // Stays for errors after the head: the reader of the body sees those on the response.
    request.on('error', reject);
    // A request that is destroyed without a reason emits no error.
    request.once('close', () => reject(hangUp()));
  });
}

/**
 * The answer with its body. Where the body of a failure is cut, what came of it is enough: its
 * status is what counts. A success that is cut rejects.
 */
export async function answerOf(response: http.IncomingMessage): Promise<Answer> {
  const status = response.statusCode ?? 0;
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of bounded(response)) chunks.push(chunk);
  } catch (error) {
    if (status < 400) throw error;
  }
  return { status, headers: response.headers, body: Buffer.concat(chunks) };
}

async function* bounded(response: http.IncomingMessage): AsyncGenerator<Buffer> {
  let sizeBytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_ANSWER_BYTES) throw new Error('the answer is longer than any should be');
    yield chunk;
  }
}

function hangUp(): Error {
  return Object.assign(new Error('the connection closed without an answer'), {
    code: 'ECONNRESET',
  });
}
