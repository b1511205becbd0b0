/** The bytes of a result that is finished. */

import { getResult } from '../../http/contract/results.ts';
import type { QueryFields, ServiceClient } from './client.ts';
import { download, rangeFrom } from './download.ts';

/** A connection that gives no byte for so long is cut, and another one is made. */
export const QUIET_MS = 60_000;

/** The bytes of a finished result from there on, however often the connection is cut. */
export function linesFrom(
  job: string,
  query: QueryFields,
  startBytes: number,
  service: ServiceClient,
): AsyncGenerator<Buffer> {
  return download(
    (atBytes, etag) =>
      service.open(getResult, {
        params: { job },
        query,
        headers: rangeFrom(atBytes, etag),
        quietMs: QUIET_MS,
      }),
    startBytes,
  );
}
