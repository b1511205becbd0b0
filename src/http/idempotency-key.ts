/** The Idempotency-Key of a call: by it the same call is known when it comes again. */

import type { IncomingMessage } from 'node:http';
import { Problem } from './problem.ts';

const KEY = /^[\x21-\x7e]{1,255}$/;

/** Null: the call has none. Throws a Problem for what cannot be one. */
export function idempotencyKeyOf({ headers }: IncomingMessage): string | null {
  const key = headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && KEY.test(key)) return key;
  const message = 'An Idempotency-Key has 1 to 255 printable characters without spaces.';
  throw new Problem({ status: 400, code: 'invalid_value', message, param: 'Idempotency-Key' });
}
