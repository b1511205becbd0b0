/** The line that answers a request for which no provider's line can stand. */

/** Before the line's number: no provider names its answers so. */
export const OWN_ID_PREFIX = 'batchwright-';

/**
 * `rawId`: the custom_id's bytes as they stand between the quotes of the request; null where it has
 * none. `line` counts from 1 in the input.
 */
export function ownErrorLine(
  rawId: Buffer | null,
  line: number,
  { code, message }: { readonly code: string; readonly message: string },
): Buffer {
  const id = `"${OWN_ID_PREFIX}${line}"`;
  const customId = rawId === null ? 'null' : `"${rawId.toString('utf8')}"`;
  const error = JSON.stringify({ code, message, line });
  return Buffer.from(`{"id":${id},"custom_id":${customId},"response":null,"error":${error}}\n`);
}
