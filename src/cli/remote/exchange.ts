/** One HTTP exchange with the service: a request of any size, an answer that streams. */

import { once } from 'node:events';
import type {
  ClientRequest,
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingHttpHeaders,
} from 'node:http';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

export interface Outgoing {
  readonly url: URL;
  readonly method: string;
  readonly headers: OutgoingHttpHeaders;
  /** Null: none. What comes in blocks is sent as it comes, and ended when nobody wants it more. */
  readonly body: Buffer | AsyncIterable<Buffer> | null;
  /** How long nothing may move before the head of the answer is there, in milliseconds. */
  readonly idleMs: number;
  /** The same for the body of the answer; null: it may be silent for ever. */
  readonly quietMs: number | null;
  readonly signal?: AbortSignal | undefined;
}

/** An answer of which the body is still to be read. */
export interface Incoming {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The body; rejects with ServiceUnreachable where it is cut. Who leaves early closes it. */
  readonly blocks: AsyncIterable<Buffer>;
}

const KEEP_ALIVE_MS = 30_000;

/** The service cannot be reached, or the connection to it was lost. */
export class ServiceUnreachable extends Error {
  override readonly name = 'ServiceUnreachable';
  /** The network's, like `ECONNREFUSED`. */
  readonly code: string;
  /** Whether the service cannot have heard of the request. */
  readonly isUnheard: boolean;

  constructor(origin: string, code: string, message: string) {
    super(`${origin}: ${message}`);
    this.code = code;
    this.isUnheard = UNHEARD.has(code);
  }
}

const UNHEARD: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/**
 * Resolves when the head of the answer is there; its body is the caller's to read.
 * Rejects with ServiceUnreachable, with an AbortError, or with what the body's source threw.
 */
export async function exchange(outgoing: Outgoing): Promise<Incoming> {
  const response = await answerTo(outgoing);
  const { statusCode: status = 0, headers } = response;
  return { status, headers, blocks: blocksOf(response, outgoing) };
}

async function answerTo(outgoing: Outgoing): Promise<IncomingMessage> {
  const { url, method, headers, body, idleMs, quietMs, signal } = outgoing;
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  // A connection of its own: one that was kept may be closed there at the same moment.
  const request = send(url, { method, headers, agent: false, ...(signal && { signal }) });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', (response) => {
      request.setTimeout(quietMs ?? 0);
      resolve(response);
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      reject(error.name === 'AbortError' ? error : unreachable(url, error));
    });
    request.setTimeout(idleMs);
    // An answer may rightly be silent for hours: only this finds out that its machine is gone.
    request.setSocketKeepAlive(true, KEEP_ALIVE_MS);
    request.on('timeout', () => {
      const message = 'nothing was heard of the service for long';
      request.destroy(Object.assign(new Error(message), { code: 'ETIMEDOUT' }));
    });
  });
  if (body === null || Buffer.isBuffer(body)) {
    request.end(body ?? undefined);
    return answered;
  }
  try {
    await pump(body, request, answered);
  } catch (error) {
    request.destroy();
    answered.catch(() => undefined);
    throw error;
  }
  return answered;
}

/** Sends the body until it ends, or until there is an answer: then nobody reads the rest. */
async function pump(
  body: AsyncIterable<Buffer>,
  request: ClientRequest,
  answered: Promise<IncomingMessage>,
): Promise<void> {
  let isOver = false;
  const over = answered.then(
    () => (isOver = true),
    () => (isOver = true),
  );
  for await (const block of body) {
    if (isOver) return;
    if (request.write(block)) continue;
    // What goes wrong here is also what is wrong with the answer, which says it.
    await Promise.race([once(request, 'drain').catch(() => undefined), over]);
  }
  request.end();
}

async function* blocksOf(
  response: IncomingMessage,
  { url, signal }: Outgoing,
): AsyncGenerator<Buffer> {
  try {
    yield* response as AsyncIterable<Buffer>;
  } catch (error) {
    // To a body that is read, our own leaving looks like a connection that the other side cut.
    signal?.throwIfAborted();
    throw unreachable(url, error as Error);
  }
}

function unreachable(url: URL, error: NodeJS.ErrnoException): ServiceUnreachable {
  return new ServiceUnreachable(url.origin, error.code ?? 'ECONNRESET', error.message);
}
