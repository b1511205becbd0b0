/**
 * The requests behind failed answers. A result has one line for each line of the chunks, in the
 * same order, so a failed line's number finds its request; ids would not do, since a rejected
 * line may have the id of another one that was answered.
 */

import { closeSync, openSync, readSync } from 'node:fs';
import { StoreDamage } from '../../domain/errors.ts';
import { AppendFile } from '../plan/append-file.ts';
import { classOf, failedLines } from './failures.ts';
import { walkRecords } from './walk-records.ts';
import type { IndexedChunk } from './walk-records.ts';

const BLOCK_BYTES = 256 * 1024;

/** Which failed answers are meant: of these classes, those worth asking again, or all. */
export type WantedFailures = readonly string[] | 'retryable' | 'all';

export interface FailedRequestsTask {
  readonly resultPath: string;
  /** The index of the failed lines; null: the whole result is read. */
  readonly runsPath: string | null;
  /** All chunks of the job. */
  readonly chunks: readonly IndexedChunk[];
  readonly wanted: WantedFailures;
}

/** Writes the requests to a file that must not be there yet, fsynced. */
export async function writeFailedRequests(
  task: FailedRequestsTask & { readonly path: string },
): Promise<{ requests: number; sizeBytes: number }> {
  const file = new AppendFile(task.path, BLOCK_BYTES);
  try {
    let requests = 0;
    for (const { bytes, isEnd } of failedRequests(task)) {
      file.append(bytes, 0, bytes.length);
      if (isEnd) requests += 1;
    }
    const { sizeBytes } = file;
    await file.finish();
    return { requests, sizeBytes };
  } finally {
    file.abandon();
  }
}

/** A request or a piece of a long one; the bytes are valid until the next one. */
export interface RequestPiece {
  readonly bytes: Buffer;
  /** The request ends here. */
  readonly isEnd: boolean;
}

/**
 * Yields the requests byte for byte and in input order, each with its newline. Rejected lines are
 * left out: they were never requests that could be sent.
 */
export function* failedRequests(task: FailedRequestsTask): Generator<RequestPiece> {
  if (task.chunks.length === 0) return;
  const records = walkRecords(task.chunks);
  const files = new RequestFiles(task.chunks);
  let line = 0;
  try {
    for (const failed of failedLines({ ...task, after: 0 })) {
      if (!isWanted(failed, task.wanted)) continue;
      while (line < failed.line) {
        const next = records.next();
        if (next.done === true) return;
        line += 1;
        if (line < failed.line || next.value.isRejected) continue;
        const { chunk, offset, length } = next.value;
        yield* files.read(chunk, offset, length);
      }
    }
  } finally {
    records.return();
    files.close();
  }
}

function isWanted(failed: Parameters<typeof classOf>[0], wanted: WantedFailures): boolean {
  if (wanted === 'all') return true;
  const answer = classOf(failed);
  return wanted === 'retryable' ? answer.kind !== 'final' : wanted.includes(answer.class);
}

/** The chunks' requests.jsonl; only the one that was read last is open. */
class RequestFiles {
  readonly #chunks: readonly IndexedChunk[];
  readonly #block = Buffer.allocUnsafe(BLOCK_BYTES);
  #chunk = -1;
  #fd = -1;

  constructor(chunks: readonly IndexedChunk[]) {
    this.#chunks = chunks;
  }

  *read(chunk: number, offset: number, length: number): Generator<RequestPiece> {
    if (chunk !== this.#chunk) this.#open(chunk);
    for (let done = 0; done < length;) {
      const room = Math.min(BLOCK_BYTES, length - done);
      const count = readSync(this.#fd, this.#block, 0, room, offset + done);
      if (count === 0) throw new StoreDamage(`${this.#chunks[chunk]?.requestsPath} is cut`);
      done += count;
      yield { bytes: this.#block.subarray(0, count), isEnd: done === length };
    }
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #open(chunk: number): void {
    this.close();
    this.#fd = openSync(this.#chunks[chunk]?.requestsPath ?? '', 'r');
    this.#chunk = chunk;
  }
}
