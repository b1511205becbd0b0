/** Bytes of the store as a view: of known size, readable from anywhere, never whole in memory. */

import { StoreDamage } from '../domain/errors.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import { BLOCK_BYTES, BlockGatherer } from './block-gatherer.ts';
import type { RunTable } from './run-table.ts';

/** A half-open range of bytes. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface ByteView {
  readonly sizeBytes: number;
  /**
   * The view's bytes, or those of a range of the view, in blocks of at most 256 KiB. Nothing is
   * open between two blocks. Rejects with StoreDamage where bytes are not there any more.
   */
  read(range?: ByteRange): AsyncIterable<Buffer>;
}

/** All of an object. */
export function wholeView(blobs: BlobStore, name: string, sizeBytes: number): ByteView {
  const whole = { start: 0, end: sizeBytes };
  return { sizeBytes, read: (range = whole) => readRange(blobs, name, within(range, sizeBytes)) };
}

/** Nothing. */
export const EMPTY_VIEW: ByteView = { sizeBytes: 0, read: async function* read() {} };

/**
 * The failed lines of a result, or all others. `open` opens the table of its failed runs: each
 * reader has its own.
 */
export function pickedView(
  blobs: BlobStore,
  name: string,
  open: () => Promise<RunTable>,
  wanted: 'ok' | 'failed',
  sizeBytes: number,
): ByteView {
  return {
    sizeBytes,
    async *read(range = { start: 0, end: sizeBytes }) {
      const picked = within(range, sizeBytes);
      if (picked.start < picked.end) {
        yield* readRanges(blobs, name, pickedRanges(await open(), wanted, picked));
      }
    },
  };
}

/** A range of an object's bytes, in blocks. */
export async function* readRange(
  blobs: BlobStore,
  name: string,
  { start, end }: ByteRange,
): AsyncGenerator<Buffer> {
  for (let at = start; at < end;) {
    const block = await readBlock(blobs, name, { start: at, end: Math.min(end, at + BLOCK_BYTES) });
    at += block.length;
    yield block;
  }
}

function within({ start, end }: ByteRange, sizeBytes: number): ByteRange {
  return { start: Math.max(0, start), end: Math.min(end, sizeBytes) };
}

async function readBlock(blobs: BlobStore, name: string, range: ByteRange): Promise<Buffer> {
  const block = await blobs.get(name, range);
  if (block === null) throw new StoreDamage(`${name} is missing`);
  if (block.length === range.end - range.start) return block;
  throw new StoreDamage(`${name} has no bytes ${range.start} to ${range.end}`);
}

/** Where a range of the view stands in the result, in order. */
async function* pickedRanges(
  table: RunTable,
  wanted: 'ok' | 'failed',
  range: ByteRange,
): AsyncGenerator<ByteRange> {
  const isFailed = wanted === 'failed';
  // Lines that succeeded stand in the gap before each run, the last ones before the end.
  const above = await table.search((run) => {
    return (isFailed ? run.before : run.start - run.before) > range.start;
  });
  let run = above === 0 ? { start: 0, before: 0 } : await table.at(above - 1);
  for (let index = above; index <= table.count; index += 1) {
    const next = await table.at(index);
    const runEnd = run.start + next.before - run.before;
    const shift = isFailed ? run.start - run.before : next.before;
    const start = Math.max(isFailed ? run.start : runEnd, range.start + shift);
    const end = Math.min(isFailed ? runEnd : next.start, range.end + shift);
    if (start < end) yield { start, end };
    if (end - shift >= range.end) return;
    run = next;
  }
}

/** The bytes of many ranges in ascending order; those that stand close are read at once. */
async function* readRanges(
  blobs: BlobStore,
  name: string,
  ranges: AsyncIterable<ByteRange>,
): AsyncGenerator<Buffer> {
  const gatherer = new BlockGatherer();
  let near: ByteRange[] = [];
  const readNear = async function* readNear(): AsyncGenerator<Buffer> {
    const [first, last] = [near[0], near.at(-1)];
    if (first === undefined || last === undefined) return;
    const bytes = await readBlock(blobs, name, { start: first.start, end: last.end });
    for (const { start, end } of near) {
      const block = gatherer.add(bytes.subarray(start - first.start, end - first.start));
      if (block !== null) yield block;
    }
    near = [];
  };
  for await (const range of ranges) {
    for (let start = range.start; start < range.end; start += BLOCK_BYTES) {
      const end = Math.min(range.end, start + BLOCK_BYTES);
      if (end - (near[0]?.start ?? start) > BLOCK_BYTES) yield* readNear();
      near.push({ start, end });
    }
  }
  yield* readNear();
  const rest = gatherer.take();
  if (rest !== null) yield rest;
}
