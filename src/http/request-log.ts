/** Names every request, and writes one line and its metrics when it is over. */

import type { Request, RequestHandler, Response } from 'express';
import type { Log } from '../ports/log.ts';
import type { Metrics } from '../ports/metrics.ts';
import { requestIdOf } from './app.ts';
import type { Principal } from '../service/access-keys.ts';
import type { Route } from './contract/route.ts';
import type { Problem } from './problem.ts';

/** A caller's own name for a request, where it cannot do harm in a log. */
const SANE_ID = /^[\w.:-]{1,64}$/;

/** What is logged where the client had gone before there was an answer. */
const CLIENT_GONE = 499;

/** Asked every few seconds by machines: lines about them would drown the others. */
const QUIET: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

const MAX_MESSAGE_CHARACTERS = 1_000;

export interface RequestLogParts {
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'requestEnded'>;
  /** A random name. */
  readonly nonce: () => string;
}

/** Sets `X-Request-Id` (the caller's, where it is sane) and `response.locals.requestId`. */
export function requestLog({ log, metrics, nonce }: RequestLogParts): RequestHandler {
  const traffic = new Traffic();
  return (request, response, next) => {
    const startMs = performance.now();
    const given = request.headers['x-request-id'];
    const id = typeof given === 'string' && SANE_ID.test(given) ? given : `req_${nonce()}`;
    response.locals['requestId'] = id;
    response.setHeader('x-request-id', id);
    const { socket } = request;
    response.once('close', () => {
      const ms = performance.now() - startMs;
      const facts = { ...factsOf(request, response), ...traffic.since(socket) };
      metrics.requestEnded({ ...facts, seconds: ms / 1000 });
      const line = { request: id, ...told(facts), ms: Math.round(ms * 10) / 10 };
      writeLine(log, { ...line, ...whoAndWhy(response) }, facts);
    });
    next();
  };
}

/** Writes down what broke: who it broke for knows the request's id only. */
export function errorLog(log: Log) {
  return (error: unknown, request: Request, response: Response): void => {
    const { method, route } = factsOf(request, response);
    const fields = { request: requestIdOf(response), method, route, ...causeOf(error) };
    log.error('a request failed here', fields);
  };
}

interface Facts {
  readonly method: string;
  readonly route: string;
  readonly status: number;
}

function factsOf(request: Request, response: Response): Facts {
  const { route, page } = response.locals as { route?: Route; page?: string };
  return {
    method: request.method,
    route: route?.path ?? page ?? 'unmatched',
    status: response.headersSent ? response.statusCode : CLIENT_GONE,
  };
}

function told({ receivedBytes, sentBytes, ...facts }: Facts & Bytes) {
  return { ...facts, received_bytes: receivedBytes, sent_bytes: sentBytes };
}

/** The tenant, where it is known, and the problem's code, where there was one. */
function whoAndWhy(response: Response) {
  const principal = response.locals['principal'] as Principal | undefined;
  const problem = response.locals['problem'] as Problem | undefined;
  return {
    ...(principal === undefined ? {} : { tenant: principal.tenant }),
    ...(problem === undefined ? {} : { code: problem.code }),
    // A stream without an end, or an upload that was cut.
    ...(response.writableFinished ? {} : { cut: true }),
  };
}

function writeLine(log: Log, fields: Parameters<Log['info']>[1], { route, status }: Facts): void {
  if (status >= 500) log.warn('request', fields);
  else if (QUIET.has(route)) log.debug('request', fields);
  else log.info('request', fields);
}

/** What a parser says quotes what it could not read, and that is somebody's data. */
function causeOf(error: unknown) {
  if (!(error instanceof Error)) return { cause: typeof error };
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const quotes = error instanceof SyntaxError;
  return {
    cause: error.name,
    ...(quotes ? {} : { reason: error.message.slice(0, MAX_MESSAGE_CHARACTERS) }),
    stack: frames.map((line) => line.trim()).join(' | '),
  };
}

type Socket = Request['socket'];

interface Bytes {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** Bytes on the wire, headers included: sockets count them anyway. */
class Traffic {
  readonly #before = new WeakMap<Socket, Bytes>();

  /** Since the request before on this connection, or its beginning. */
  since(socket: Socket): Bytes {
    const { receivedBytes, sentBytes } = this.#before.get(socket) ?? NOTHING;
    const now = { receivedBytes: socket.bytesRead, sentBytes: socket.bytesWritten };
    this.#before.set(socket, now);
    return {
      receivedBytes: now.receivedBytes - receivedBytes,
      sentBytes: now.sentBytes - sentBytes,
    };
  }
}

const NOTHING: Bytes = { receivedBytes: 0, sentBytes: 0 };
