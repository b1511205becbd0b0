/** Bytes of the service over connections that may be cut: each goes on where the last stopped. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Incoming } from './exchange.ts';
import { ServiceUnreachable } from './exchange.ts';
import { ServiceProblem, StrangeAnswer } from './problems.ts';

/** Cuts in a row without a byte between them, before it is given up. */
const MAX_CUTS = 6;
const FIRST_WAIT_MS = 250;
const MAX_WAIT_MS = 5_000;

/** Statuses of a service, or of what stands before it, that is not there for a moment. */
const PASSING: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Opens the bytes from `startBytes` on; with an ETag only where they are still the same. */
export type OpenFrom = (startBytes: number, etag: string | null) => Promise<Incoming>;

/** All bytes from `startBytes` to the end. Rejects when it was cut too often without a byte. */
export async function* download(open: OpenFrom, startBytes: number): AsyncGenerator<Buffer> {
  const cuts = new Cuts();
  let at = startBytes;
  let etag: string | null = null;
  for (;;) {
    try {
      const answer = await open(at, etag);
      requireRest(answer, at);
      etag = answer.headers.etag ?? etag;
      for await (const block of answer.blocks) {
        at += block.length;
        cuts.forget();
        yield block;
      }
      return;
    } catch (error) {
      await cuts.wait(error);
    }
  }
}

/** The headers that ask for the bytes from there on. */
export function rangeFrom(startBytes: number, etag: string | null): Record<string, string> {
  if (startBytes === 0) return {};
  return { range: `bytes=${startBytes}-`, ...(etag !== null && { 'if-range': etag }) };
}

/** How often in a row a connection was cut, and how long to wait until the next one. */
export class Cuts {
  #count = 0;

  /** Something came: the next cut is the first one. */
  forget(): void {
    this.#count = 0;
  }

  /** Waits after a cut; rethrows what is none, or one too many. */
  async wait(error: unknown, signal?: AbortSignal): Promise<void> {
    this.#count += 1;
    if (!isCut(error) || this.#count > MAX_CUTS) throw error;
    const waitMs = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.#count - 1));
    await sleep(waitMs, undefined, { signal });
  }
}

/** Whether the same may well succeed in a moment. */
export function isCut(error: unknown): boolean {
  if (error instanceof ServiceProblem) return PASSING.has(error.body.status);
  return error instanceof ServiceUnreachable;
}

/** What follows on bytes that are there already must be the rest of the same. */
function requireRest({ status, headers }: Incoming, startBytes: number): void {
  if (startBytes === 0) return;
  const range = /^bytes (\d+)-/.exec(headers['content-range'] ?? '');
  if (status === 206 && Number(range?.[1]) === startBytes) return;
  throw new StrangeAnswer('what was to be fetched is not the same any more: fetch it again');
}
