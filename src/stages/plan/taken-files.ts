/**
 * Plans input files that others sent as batches: each file is one chunk as it stands, whatever it
 * holds, since its batch is made already. A file all of whose lines stand in another one, byte
 * for byte, is a further attempt at that one's chunk.
 */

import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { chunkIdOf } from '../../domain/ids.ts';
import type { JobId } from '../../domain/ids.ts';
import type { ChunkLimits, Plan } from '../../domain/plan.ts';
import type { RejectedLine } from '../../domain/request.ts';
import { LineSplitter } from '../../jsonl/line-splitter.ts';
import { plannedChunk } from './chunk.ts';
import type { DraftChunk } from './chunk.ts';
import { ChunkFiles } from './chunk-files.ts';
import { homesOf, LineSurvey } from './line-survey.ts';
import { TakenLines } from './taken-lines.ts';

export interface TakenTask {
  readonly files: readonly {
    readonly path: string;
    /** For people. */
    readonly name: string;
  }[];
  /** An empty local folder: gets a folder of files for each chunk. */
  readonly outputFolder: string;
  readonly job: JobId;
  readonly limits: ChunkLimits;
  /** How many rejected lines are listed. */
  readonly maxReported: number;
}

/** What became of one file. */
export interface TakenFile {
  /** Index of the chunk that holds its lines. */
  readonly chunk: number;
  /** The chunk is this very file, not a larger one. */
  readonly isWhole: boolean;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly requests: number;
  /** Blank lines: a provider may count them, the chunk's own file is without them. */
  readonly blank: number;
}

export type TakenOutcome =
  | { readonly kind: 'planned'; readonly plan: Plan; readonly files: readonly TakenFile[] }
  | {
      readonly kind: 'refused';
      /** Lines count within their file, which the message names. */
      readonly rejected: readonly RejectedLine[];
      readonly rejectedTotal: number;
    };

/**
 * Plans the files in their order; meant for a worker thread. Refused where a line's answer could
 * not be told to be its. Rejects with the system's error where the disk is at fault.
 */
export async function planTakenFiles(task: TakenTask): Promise<TakenOutcome> {
  const surveys = task.files.map(({ path }) => survey(path, task.limits.maxLineBytes));
  const homes = homesOf(surveys.map(({ lines }) => lines));
  const whole = homes.filter((home, file) => home === file);
  const lines = new TakenLines(task);
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const chunks: DraftChunk[] = [];
  try {
    for (const file of whole) {
      const chunk = await writeChunk(task, file, chunks.length, lines, hash);
      sizeBytes += surveys[file]?.sizeBytes ?? 0;
      chunks.push(chunk);
    }
    lines.rejectRepeated();
  } finally {
    lines.close();
  }
  if (lines.rejectedTotal > 0) {
    return { kind: 'refused', rejected: lines.rejected(), rejectedTotal: lines.rejectedTotal };
  }
  const plan: Plan = {
    endpoint: lines.endpoint,
    models: lines.models(),
    chunks: chunks.map(plannedChunk),
    counts: lines.counts(),
    source: { sizeBytes, sha256: hash.digest('hex') },
    idsDigest: lines.digest.hex(),
  };
  const files = surveys.map(({ lines: known, ...found }, file) => {
    const home = homes[file] ?? file;
    return {
      ...found,
      requests: known.count,
      blank: known.blank,
      chunk: whole.indexOf(home),
      isWhole: home === file,
    };
  });
  return { kind: 'planned', plan, files };
}

function survey(path: string, maxLineBytes: number) {
  const lines = new LineSurvey();
  const hash = createHash('sha256');
  const sizeBytes = feed(path, new LineSplitter(lines, maxLineBytes), hash);
  lines.sort();
  return { lines, sizeBytes, sha256: hash.digest('hex') };
}

async function writeChunk(
  task: TakenTask,
  file: number,
  index: number,
  lines: TakenLines,
  hash: Hash,
): Promise<DraftChunk> {
  const files = new ChunkFiles(join(task.outputFolder, chunkIdOf(index)));
  const chunk: DraftChunk = {
    index,
    model: null,
    requests: 0,
    rejected: 0,
    sizeBytes: 0,
    inputs: 0,
    firstLine: lines.nextLine,
    lastLine: lines.nextLine,
    files,
  };
  try {
    lines.begin(file, chunk);
    feed(task.files[file]?.path ?? '', new LineSplitter(lines, task.limits.maxLineBytes), hash);
    lines.end();
    await files.finish();
  } finally {
    files.abandon();
  }
  return chunk;
}

/** Reads the file through the splitter and the hash; returns its size. */
function feed(path: string, splitter: LineSplitter, hash: Hash): number {
  const fd = openSync(path, 'r');
  let sizeBytes = 0;
  try {
    for (;;) {
      const room = splitter.room();
      const { buffer, filled } = splitter;
      const count = readSync(fd, buffer, filled, room, null);
      if (count === 0) break;
      hash.update(buffer.subarray(filled, filled + count));
      sizeBytes += count;
      splitter.advance(count);
    }
    splitter.end();
    return sizeBytes;
  } finally {
    closeSync(fd);
  }
}
