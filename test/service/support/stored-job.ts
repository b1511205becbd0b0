/** A job in a real store whose chunks are settled, merged and cleaned when a test says so. */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { createJournal } from '../../../src/adapters/blob/journal.ts';
import { createFileBlobStore } from '../../../src/adapters/file/blob-store.ts';
import { createFileScratch } from '../../../src/adapters/file/scratch.ts';
import { createSystemClock } from '../../../src/adapters/system/clock.ts';
import { createIds } from '../../../src/adapters/system/ids.ts';
import { createInlinePool } from '../../../src/adapters/system/inline-pool.ts';
import { freshChunk } from '../../../src/domain/chunk.ts';
import { chunkIdOf } from '../../../src/domain/ids.ts';
import type { JobSpec, JobState, JobTerms, ResultRecord } from '../../../src/domain/job.ts';
import type { Plan, PlannedChunk } from '../../../src/domain/plan.ts';
import type { Notice } from '../../../src/ports/notices.ts';
import { JobViews } from '../../../src/service/job-views.ts';
import { engines } from '../../../src/stages/engines.ts';
import type { Engines } from '../../../src/stages/engines.ts';
import {
  chunkFileName,
  chunkStreamName,
  jobStreamName,
  manifestName,
  partName,
  planName,
  resultName,
  settledName,
} from '../../../src/stages/names.ts';
import { makeChunk, requestLine } from '../../stages/answers/made-answers.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** A line of the job: its answer, and which chunk has it. */
export interface StoredLine {
  readonly id: string;
  readonly chunk: number;
  /** With its newline. */
  readonly answer: string;
  readonly rejected?: boolean;
}

export interface Counts {
  readonly succeeded: number;
  readonly failed: number;
  readonly rejected: number;
}

export type Workshop = Awaited<ReturnType<typeof workshop>>;

/** What a service has beneath it, in a folder that goes with the test. */
export async function workshop() {
  const folder = await temporaryFolder();
  const clock = createSystemClock();
  const ids = createIds(clock);
  const blobs = createFileBlobStore(join(folder, 'store'));
  const journal = createJournal(blobs, ids, clock);
  const told: Notice[] = [];
  return {
    folder,
    clock,
    ids,
    blobs,
    journal,
    views: new JobViews(blobs, journal),
    scratch: createFileScratch(join(folder, 'scratch')),
    engines: createInlinePool<Engines>(engines),
    notices: { tell: (notice: Notice) => void told.push(notice) },
    told,
  };
}

/** Stores a planned job of these lines, none of them settled. */
export async function storeJob(
  at: Workshop,
  lines: readonly StoredLine[],
  terms?: JobTerms,
): Promise<StoredJob> {
  const job = new StoredJob(at, lines, terms);
  await job.write();
  return job;
}

export class StoredJob {
  readonly id;
  /** What the result must be. */
  readonly result: Buffer;

  readonly #at: Workshop;
  readonly #lines: readonly StoredLine[];
  readonly #spec: JobSpec;
  readonly #chunks: PlannedChunk[];
  #version = 0;

  constructor(at: Workshop, lines: readonly StoredLine[], terms?: JobTerms) {
    this.#at = at;
    this.#lines = lines;
    this.id = at.ids.job();
    this.result = Buffer.from(lines.map(({ answer }) => answer).join(''));
    this.#spec = {
      id: this.id,
      createdAtMs: Date.UTC(2026, 0, 1),
      runKey: this.id,
      name: 'set.jsonl',
      source: { kind: 'path', location: '/set', encoding: 'identity', sizeBytes: 1, sha256: 'x' },
      defaults: { endpoint: null, model: null },
      limits: { maxRequests: 9, maxBytes: 9, maxInputs: 9, maxLineBytes: 9 },
      onInvalid: 'skip',
      provider: { baseUrl: 'http://127.0.0.1:9', organization: null, project: null },
      completionWindow: '24h',
      ...(terms === undefined ? {} : { terms }),
    };
    const count = Math.max(-1, ...lines.map(({ chunk }) => chunk)) + 1;
    this.#chunks = Array.from({ length: count }, (_, index) => this.#planned(index));
  }

  async write(): Promise<void> {
    await this.create();
    const { folder, blobs } = this.#at;
    for (const [index, chunk] of this.#chunks.entries()) {
      const made = makeChunk(folder, this.#linesOf(index), `${this.id}-${index}`);
      await blobs.putFile(chunkFileName(this.id, chunk.id, 'lines.idx'), made.linesPath);
      await blobs.putFile(chunkFileName(this.id, chunk.id, 'ids.bin'), made.idsPath);
      await blobs.putFile(chunkFileName(this.id, chunk.id, 'requests.jsonl'), made.requestsPath);
    }
    const bytes = Buffer.from(JSON.stringify(this.#plan()));
    await blobs.put(planName(this.id), bytes);
    const planned = { ...this.#common(), status: 'planned', plan: this.#reference() } as const;
    await this.#append({ type: 'planned', plan: planned.plan }, planned);
  }

  /** The job alone, before there is a plan. */
  async create(): Promise<void> {
    const event = { type: 'created', spec: this.#spec, options: OPTIONS, unconfirmed: false };
    await this.#append(event, { ...this.#common(), status: 'created' });
  }

  async state(): Promise<JobState> {
    const state = await this.#at.views.job(this.id);
    if (state === null) throw new Error('the job is not there');
    return state;
  }

  /** Settles a chunk as a settler does: the part, the event, the mark. */
  async settle(index: number): Promise<void> {
    const { blobs, journal } = this.#at;
    const chunk = this.#chunk(index);
    const bytes = this.partOf(index);
    const crc = crc32(bytes).toString(16).padStart(8, '0');
    const part = { ...EMPTY_PART, sizeBytes: bytes.length, crc32: crc };
    const lines = chunk.requests + chunk.rejected;
    await blobs.put(partName(this.id, chunk.id, part), bytes);
    const state = { ...freshChunk(chunk.requests), status: 'settled', part: { ...part, lines } };
    const stream = chunkStreamName(this.id, chunk.id);
    await journal.append(stream, 1, { type: 'settled', part }, state);
    await blobs.put(settledName(this.id, chunk.id), Buffer.from(JSON.stringify(part)));
  }

  /** Writes result and manifest, and records the merge. */
  async merge(counts: Counts): Promise<void> {
    const { blobs } = this.#at;
    const result: ResultRecord = {
      ...counts,
      sha256: createHash('sha256').update(this.result).digest('hex'),
      sizeBytes: this.result.length,
      lines: this.#lines.length,
    };
    await blobs.put(resultName(this.id), this.result);
    await blobs.put(manifestName(this.id), Buffer.from('{"manifest":1}\n'));
    const state = { ...this.#common(), status: 'merged', plan: this.#reference(), result } as const;
    await this.#append({ type: 'merged', result }, state);
  }

  /** Deletes the parts, as the clean after a merge does. */
  async clean(): Promise<void> {
    for (const [index, chunk] of this.#chunks.entries()) {
      const bytes = this.partOf(index);
      const crc = crc32(bytes).toString(16).padStart(8, '0');
      await this.#at.blobs.delete(
        partName(this.id, chunk.id, { crc32: crc, sizeBytes: bytes.length }),
      );
    }
  }

  /** Ends the job before anything of it is sent. */
  async refuse(): Promise<void> {
    const rejected = [{ line: 3, code: 'invalid_json', message: 'It is no JSON.' } as const];
    const refusal = { code: 'invalid_lines', message: 'Bad.', rejected, rejectedTotal: 1 } as const;
    await this.#append({ type: 'refused', refusal }, {
      ...this.#common(),
      status: 'refused',
      refusal,
    } as unknown as JobState);
  }

  /** The bytes of a chunk's part. */
  partOf(index: number): Buffer {
    return Buffer.from(this.answersOf(index).join(''));
  }

  answersOf(index: number): string[] {
    return this.#lines.filter(({ chunk }) => chunk === index).map(({ answer }) => answer);
  }

  /** The request lines of these ids, as they were stored. */
  requestsOf(ids: readonly string[]): string {
    return ids.map(requestLine).join('');
  }

  async #append(event: unknown, state: JobState): Promise<void> {
    this.#version += 1;
    await this.#at.journal.append(jobStreamName(this.id), this.#version, event, state);
  }

  #common() {
    const intent = { kind: 'run', revision: 0 } as const;
    return { spec: this.#spec, options: OPTIONS, intent, spreadRevision: 0 };
  }

  #reference() {
    const { chunks, ...plan } = this.#plan();
    const sha256 = createHash('sha256').update(JSON.stringify(this.#plan())).digest('hex');
    return { ...plan, sha256, chunkCount: chunks.length };
  }

  #plan(): Plan {
    const rejected = this.#lines.filter((line) => line.rejected === true).length;
    const requests = this.#lines.length - rejected;
    return {
      endpoint: '/v1/embeddings',
      models: ['m'],
      chunks: this.#chunks,
      counts: { lines: this.#lines.length, blank: 0, requests, rejected, insertedIds: 0 },
      source: { sizeBytes: 1, sha256: 'x' },
      idsDigest: 'x',
    };
  }

  #planned(index: number): PlannedChunk {
    const made = this.#linesOf(index);
    const rejected = made.filter((line) => line.rejected).length;
    return {
      id: chunkIdOf(index),
      model: 'm',
      requests: made.length - rejected,
      rejected,
      sizeBytes: 1,
      inputs: 0,
      firstLine: made[0]?.line ?? 0,
      lastLine: made.at(-1)?.line ?? 0,
    };
  }

  /** Every third line of the input is blank. */
  #linesOf(index: number) {
    return this.#lines.flatMap(({ id, chunk, rejected = false }, at) =>
      chunk === index ? [{ line: at + 1 + Math.floor(at / 2), rawId: id, rejected }] : [],
    );
  }

  #chunk(index: number): PlannedChunk {
    const chunk = this.#chunks[index];
    if (chunk === undefined) throw new Error(`there is no chunk ${index}`);
    return chunk;
  }
}

const OPTIONS = { maxAttempts: 3, maxErrors: null };

const EMPTY_PART = {
  succeeded: 0,
  failed: 0,
  rejected: 0,
  byClass: {},
  usage: {},
  strangers: 0,
  unparsable: 0,
  duplicates: 0,
  conflicts: 0,
};
