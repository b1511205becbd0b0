/**
 * Where a body goes as it streams in: a local file, with everything that bounds it. What comes
 * while the disk works is written in one go afterwards, so memory is flat and the disk is busy.
 */

import type { FileHandle } from 'node:fs/promises';
import { Writable } from 'node:stream';
import type { Claim } from '../service/tenant-usage.ts';
import { LineGauge } from './line-gauge.ts';
import { Problem } from './problem.ts';

export interface BodyLimits {
  /** Of the body as it is stored, decompressed. */
  readonly maxBytes: number;
  /** Whether the tenant may store so many bytes of the body. */
  readonly claim: Claim;
  /** The longest line, its end not counted. */
  readonly maxLineBytes: number;
  /** Room on the disk that is left alone. */
  readonly minFreeBytes: number;
  /** Bytes that can still be written where the body goes. */
  readonly freeBytes: () => Promise<number>;
}

/** Blocks that wait for the disk: with less, client and disk take turns; with more, writes slow. */
const WAITING_BYTES = 1024 * 1024;

/** So much is written between two looks at the room. */
const ROOM_STEP_BYTES = 256 * 1024 * 1024;

/** So much is written between two flushes: the one that makes the body durable has less to do. */
const FLUSH_STEP_BYTES = 64 * 1024 * 1024;

/** Of what is read again to find the number of a line. */
const COUNT_BLOCK_BYTES = 1024 * 1024;

interface Piece {
  readonly chunk: Buffer;
}

/** Ends with a `Problem`, or with the system's error, where the body cannot be taken. */
export class BodySink extends Writable {
  readonly #handle: FileHandle;
  readonly #limits: BodyLimits;
  readonly #refusalOf: (sizeBytes: number) => Problem | null;
  readonly #lines: LineGauge;
  #sizeBytes = 0;
  #roomCheckedAt = 0;
  #flushedAt = 0;
  /** Resolves to what went wrong. */
  #flushing: Promise<Error | null> | null = null;

  /** `handle` is the caller's to close; `refusalOf` may refuse a size for reasons of its own. */
  constructor(
    handle: FileHandle,
    limits: BodyLimits,
    refusalOf: (sizeBytes: number) => Problem | null = () => null,
  ) {
    super({ highWaterMark: WAITING_BYTES, decodeStrings: true });
    this.#handle = handle;
    this.#limits = limits;
    this.#refusalOf = refusalOf;
    this.#lines = new LineGauge(limits.maxLineBytes);
  }

  /** What is in the file. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    void this.#write([chunk], done);
  }

  override _writev(pieces: readonly Piece[], done: (error?: Error) => void): void {
    void this.#write(
      pieces.map(({ chunk }) => chunk),
      done,
    );
  }

  override _final(done: (error?: Error) => void): void {
    void this.#end(done);
  }

  async #write(blocks: Buffer[], done: (error?: Error) => void): Promise<void> {
    let trouble: Error | undefined;
    try {
      await this.#take(blocks);
    } catch (error) {
      trouble = error as Error;
    }
    done(trouble);
  }

  async #end(done: (error?: Error) => void): Promise<void> {
    let trouble: Error | undefined;
    try {
      await this.#flushed();
      if (this.#sizeBytes === 0) throw emptyBody();
    } catch (error) {
      trouble = error as Error;
    }
    done(trouble);
  }

  async #take(blocks: Buffer[]): Promise<void> {
    const sizeBytes = blocks.reduce((sum, { length }) => sum + length, this.#sizeBytes);
    if (this.#sizeBytes === 0 && isGzip(blocks[0])) throw gzipped();
    const refusal = this.#sizeRefusal(sizeBytes) ?? this.#refusalOf(sizeBytes);
    if (refusal !== null) throw refusal;
    await this.#requireRoom(sizeBytes);
    const areShort = blocks.every((block) => this.#lines.takes(block));
    await writeAll(this.#handle, blocks, this.#sizeBytes);
    this.#sizeBytes = sizeBytes;
    if (!areShort) throw await this.#lineTooLong();
    await this.#flushBeside();
  }

  /** The disk is kept at work while more comes in, but for one step that may still be behind. */
  async #flushBeside(): Promise<void> {
    if (this.#sizeBytes - this.#flushedAt < FLUSH_STEP_BYTES) return;
    await this.#flushed();
    this.#flushedAt = this.#sizeBytes;
    this.#flushing = this.#handle.datasync().then(
      () => null,
      (error: Error) => error,
    );
  }

  /** The system tells of a failed flush once: whoever hears of it must not keep it. */
  async #flushed(): Promise<void> {
    const trouble = await this.#flushing;
    if (trouble !== null) throw trouble;
  }

  #sizeRefusal(sizeBytes: number): Problem | null {
    const { maxBytes, claim } = this.#limits;
    if (sizeBytes > maxBytes) return tooLarge(maxBytes);
    return claim(sizeBytes) ? null : overQuota();
  }

  async #requireRoom(sizeBytes: number): Promise<void> {
    if (sizeBytes - this.#roomCheckedAt < ROOM_STEP_BYTES) return;
    this.#roomCheckedAt = sizeBytes;
    await requireRoom(0, this.#limits);
  }

  /** Lines are not counted on the way: only this answer needs the number. */
  async #lineTooLong(): Promise<Problem> {
    const { maxLineBytes } = this.#limits;
    const line = 1 + (await countNewlines(this.#handle, this.#lines.lineStart));
    const message = `Line ${line} is longer than ${maxLineBytes} bytes.`;
    const lines = [{ line, code: 'line_too_long', message }];
    return new Problem({ status: 400, code: 'line_too_long', message, lines });
  }
}

/** Refuses what is announced and cannot fit, before it is sent. */
export async function requireRoom(
  declaredBytes: number,
  { maxBytes, claim, minFreeBytes, freeBytes }: Omit<BodyLimits, 'maxLineBytes'>,
): Promise<void> {
  if (declaredBytes > maxBytes) throw tooLarge(maxBytes);
  if (!claim(declaredBytes)) throw overQuota();
  if ((await freeBytes()) - declaredBytes >= minFreeBytes) return;
  const message = 'The disk of the service is nearly full; try again when room is made.';
  throw new Problem({ status: 507, code: 'no_room', message, headers: { 'retry-after': '60' } });
}

/** A write may take a part only, as where the disk fills up. */
async function writeAll(handle: FileHandle, blocks: Buffer[], position: number): Promise<void> {
  let left = blocks;
  let at = position;
  while (left.length > 0) {
    const { bytesWritten } = await handle.writev(left, at);
    at += bytesWritten;
    left = without(left, bytesWritten);
  }
}

function without(blocks: readonly Buffer[], bytes: number): Buffer[] {
  let skip = bytes;
  const left: Buffer[] = [];
  for (const block of blocks) {
    if (skip < block.length) left.push(block.subarray(skip));
    skip = Math.max(0, skip - block.length);
  }
  return left;
}

async function countNewlines(handle: FileHandle, end: number): Promise<number> {
  const buffer = Buffer.allocUnsafe(Math.min(COUNT_BLOCK_BYTES, end));
  let count = 0;
  let position = 0;
  while (position < end) {
    const length = Math.min(buffer.length, end - position);
    const { bytesRead } = await handle.read(buffer, 0, length, position);
    if (bytesRead === 0) break;
    const block = buffer.subarray(0, bytesRead);
    for (let at = block.indexOf(10); at >= 0; at = block.indexOf(10, at + 1)) count += 1;
    position += bytesRead;
  }
  return count;
}

/** No request set begins like that: who sends it forgot to say what it is. */
function isGzip(block: Buffer | undefined): boolean {
  return block?.[0] === 0x1f && block[1] === 0x8b;
}

function gzipped(): Problem {
  const message =
    'The bytes are gzip: send them as a raw body with Content-Encoding: gzip, or decompressed.';
  return new Problem({ status: 400, code: 'gzipped_body', message });
}

function emptyBody(): Problem {
  const message = 'The body is empty; a request set has a line for each request.';
  return new Problem({ status: 400, code: 'empty_input', message });
}

function tooLarge(maxBytes: number): Problem {
  const message = `The service takes at most ${maxBytes} bytes, decompressed.`;
  return new Problem({ status: 413, code: 'too_large', message });
}

function overQuota(): Problem {
  const message = 'Your share of the disk is used up; delete jobs or files that are over.';
  return new Problem({ status: 413, code: 'quota_exceeded', message });
}
