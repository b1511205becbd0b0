/** The line that answers a request for which no provider's line can stand. */

/** `rawId`: the id's bytes as they stand between the quotes of the request. */
export function ownErrorLine(rawId: Buffer, line: number, code: string, message: string): Buffer {
  const error = JSON.stringify({ code, message, line });
  const id = rawId.toString('utf8');
  return Buffer.from(`{"id":null,"custom_id":"${id}","response":null,"error":${error}}\n`);
}
