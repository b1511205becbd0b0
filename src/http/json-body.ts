/** Takes a small JSON body: at most 1 MB, not nested beyond 64 levels. */

import type { Request, Response } from 'express';
import express from 'express';
import { Problem } from './problem.ts';

const LIMIT_BYTES = 1_000_000;
const MAX_DEPTH = 64;

/** A body of this size takes a moment; who trickles it would hold a connection for ever. */
const PATIENCE_MS = 60_000;

const parse = express.json({ limit: LIMIT_BYTES, strict: false, type: () => true });

/** Resolves to the value. Throws a Problem for what is no such body, or is not there in time. */
export async function jsonBody(
  request: Request,
  response: Response,
  patienceMs = PATIENCE_MS,
): Promise<unknown> {
  const { promise: parsed, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(tooSlow(patienceMs)), patienceMs);
  parse(request, response, (error: unknown) => {
    if (error === undefined) resolve();
    else reject(problemOfParser(error));
  });
  await parsed.finally(() => clearTimeout(timer));
  const body: unknown = request.body;
  if (body === undefined) {
    throw new Problem({ status: 400, code: 'invalid_json', message: 'The body is empty.' });
  }
  if (isDeeper(body, MAX_DEPTH)) {
    const message = `The body is nested deeper than ${MAX_DEPTH} levels.`;
    throw new Problem({ status: 400, code: 'nested_too_deep', message });
  }
  return body;
}

function tooSlow(patienceMs: number): Problem {
  const message = `The body was not there within ${Math.ceil(patienceMs / 1000)} seconds.`;
  return new Problem({ status: 408, code: 'too_slow', message });
}

function problemOfParser(error: unknown): Problem {
  const { type, status } = error as { type?: string; status?: number };
  switch (type) {
    case 'entity.too.large':
      return new Problem({
        status: 413,
        code: 'body_too_large',
        message: `A JSON body holds at most ${LIMIT_BYTES} bytes.`,
      });
    case 'encoding.unsupported':
      return new Problem({
        status: 415,
        code: 'unsupported_encoding',
        message: 'A JSON body comes as it is, or with Content-Encoding: gzip.',
      });
    case 'charset.unsupported':
      return new Problem({
        status: 415,
        code: 'unsupported_charset',
        message: 'JSON is UTF-8 here.',
      });
    case undefined:
    default: {
      const message = 'The body is not JSON, or it was cut.';
      const isCallers = status !== undefined && status >= 400 && status < 500;
      return new Problem({ status: isCallers ? status : 400, code: 'invalid_json', message });
    }
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}
