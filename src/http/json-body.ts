/** Takes a small JSON body: UTF-8, at most 1 MB, not nested beyond 64 levels. */

import type { Request, Response } from 'express';
import express from 'express';
import { Problem } from './problem.ts';

const LIMIT_BYTES = 1_000_000;
const MAX_DEPTH = 64;

/** A body of this size takes a moment; who trickles it would hold a connection for ever. */
const PATIENCE_MS = 60_000;

const takeRaw = express.raw({ limit: LIMIT_BYTES, type: () => true });

/** Fatal: what is no UTF-8 would be kept as something that nobody sent. */
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Resolves to the value. Throws a Problem for what is no such body, or is not there in time. */
export async function jsonBody(
  request: Request,
  response: Response,
  patienceMs = PATIENCE_MS,
): Promise<unknown> {
  requireReadable(request);
  const { promise: taken, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(tooSlow(patienceMs)), patienceMs);
  takeRaw(request, response, (error: unknown) => {
    if (error === undefined) resolve();
    else reject(problemOfParser(error));
  });
  await taken.finally(() => clearTimeout(timer));
  const bytes: unknown = request.body;
  if (!Buffer.isBuffer(bytes)) throw invalidJson('The body is empty.');
  const body = parsed(bytes);
  if (isDeeper(body, MAX_DEPTH)) {
    const message = `The body is nested deeper than ${MAX_DEPTH} levels.`;
    throw new Problem({ status: 400, code: 'nested_too_deep', message });
  }
  return body;
}

/** By its headers only: what is packed in another way is not looked at. */
function requireReadable({ headers }: Request): void {
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding !== 'identity' && encoding !== 'gzip') {
    const message = 'A JSON body comes as it is, or with Content-Encoding: gzip.';
    const accepted = { 'accept-encoding': 'gzip, identity' };
    throw new Problem({ status: 415, code: 'unsupported_encoding', message, headers: accepted });
  }
  const charset = /;\s*charset="?([^\s;"]+)/i.exec(headers['content-type'] ?? '')?.[1] ?? 'utf-8';
  if (!/^utf-?8$/i.test(charset)) {
    const message = 'JSON is UTF-8 here.';
    throw new Problem({ status: 415, code: 'unsupported_charset', message });
  }
}

function parsed(bytes: Buffer): unknown {
  // Some clients announce a body, and send none, where all of its fields may be left out.
  if (bytes.length === 0) return {};
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch {
    throw invalidJson('The body is not UTF-8.');
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw invalidJson('The body is not JSON, or it was cut.');
  }
}

function tooSlow(patienceMs: number): Problem {
  const message = `The body was not there within ${Math.ceil(patienceMs / 1000)} seconds.`;
  return new Problem({ status: 408, code: 'too_slow', message });
}

function problemOfParser(error: unknown): Problem {
  const { type, status } = error as { type?: string; status?: number };
  if (type === 'entity.too.large') {
    const message = `A JSON body holds at most ${LIMIT_BYTES} bytes.`;
    return new Problem({ status: 413, code: 'body_too_large', message });
  }
  const isCallers = status !== undefined && status >= 400 && status < 500;
  return invalidJson('The body is not JSON, or it was cut.', isCallers ? status : 400);
}

function invalidJson(message: string, status = 400): Problem {
  return new Problem({ status, code: 'invalid_json', message });
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}
