/** The answer line of a request that is never sent. */

import type { Rejection } from '../../domain/request.ts';

/** `rawId`: the id's bytes as they stand between the quotes; null where it has none. */
export function errorLine(rawId: Buffer | null, line: number, rejection: Rejection): Buffer {
  const id = rawId === null ? 'null' : `"${rawId.toString('utf8')}"`;
  const { code, message } = rejection;
  const error = JSON.stringify({ code, message, line });
  return Buffer.from(`{"id":null,"custom_id":${id},"response":null,"error":${error}}\n`);
}
