/** Planning: checks a request set and cuts it into chunks, in one pass and flat memory. */

import { rmSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal } from '../../domain/errors.ts';
import { chunkIdOf } from '../../domain/ids.ts';
import type { JobId } from '../../domain/ids.ts';
import type { ChunkLimits, Plan, PlanCounts, RequestDefaults } from '../../domain/plan.ts';
import type { RejectedLine } from '../../domain/request.ts';
import { LineSplitter } from '../../jsonl/line-splitter.ts';
import { plannedChunk } from './chunk.ts';
import type { DraftChunk } from './chunk.ts';
import { ChunkFiles } from './chunk-files.ts';
import { LateRejections } from './late-rejections.ts';
import { PlanningPass } from './pass.ts';
import { duplicateCustomId } from './reasons.ts';
import { readSource } from './source.ts';

export interface PlanTask {
  readonly sourcePath: string;
  readonly encoding: 'identity' | 'gzip';
  /** An empty local folder: gets a folder of files for each chunk. */
  readonly outputFolder: string;
  readonly job: JobId;
  readonly defaults: RequestDefaults;
  readonly limits: ChunkLimits;
  /** What a line that cannot be sent does: it fails the whole set, or is answered with why. */
  readonly onInvalid: 'fail' | 'skip';
  /** False: everything is checked and counted, and no file is left. */
  readonly write: boolean;
  /** How many rejected lines are listed. */
  readonly maxReported: number;
}

export type PlanOutcome =
  | {
      readonly kind: 'planned';
      readonly plan: Plan;
      /** Lines that are answered with why they are not sent: the first of them. */
      readonly rejected: readonly RejectedLine[];
    }
  | {
      readonly kind: 'refused';
      /** The first by line. */
      readonly rejected: readonly RejectedLine[];
      readonly rejectedTotal: number;
      readonly counts: PlanCounts;
    };

/** Chunks that may be on their way to the disk before reading pauses for them. */
const MAX_FINISHING = 4;
const REPORT_STEP_BYTES = 4 * 1024 * 1024;

/**
 * Plans the set; meant for a worker thread, since it reads and writes synchronously. `report` is
 * called with the bytes of the source read so far, every few MiB. Whatever does not end in a plan
 * leaves the output folder empty. Rejects with `Refusal` where the input as a whole is at fault,
 * with the system's error where the disk is.
 */
export async function planRequestSet(
  task: PlanTask,
  report: (bytesRead: number) => void = () => {},
): Promise<PlanOutcome> {
  const planning = new Planning(task, report);
  let outcome: PlanOutcome | null = null;
  try {
    outcome = await planning.run();
    return outcome;
  } finally {
    await planning.release();
    if (outcome?.kind !== 'planned' || !task.write) empty(task.outputFolder);
  }
}

class Planning {
  readonly #task: PlanTask;
  readonly #report: (bytesRead: number) => void;
  readonly #pass: PlanningPass;
  readonly #late = new LateRejections();
  readonly #writing = new Set<ChunkFiles>();
  #finishing: Promise<unknown>[] = [];
  #nextReport = 0;

  constructor(task: PlanTask, report: (bytesRead: number) => void) {
    this.#task = task;
    this.#report = report;
    const events = {
      opened: (chunk: DraftChunk) => this.#opened(chunk),
      closed: (chunk: DraftChunk) => this.#closed(chunk),
    };
    this.#pass = new PlanningPass(task, events, () => this.#abandonFiles());
  }

  async run(): Promise<PlanOutcome> {
    const pass = this.#pass;
    const { sourcePath, encoding, limits } = this.#task;
    const splitter = new LineSplitter(pass, limits.maxLineBytes);
    const between = (bytesRead: number) => this.#between(bytesRead);
    const source = await readSource({ sourcePath, encoding, between }, splitter);
    const { counts } = pass;
    if (counts.lines === counts.blank) {
      throw new Refusal('empty_input', 'The input holds no request line.');
    }
    if (!pass.refused) pass.packer.closeAll();
    await this.#finished();
    this.#rejectDuplicates();
    const rejected = pass.rejections.first();
    if (this.#task.onInvalid === 'fail' && counts.rejected > 0) {
      return { kind: 'refused', rejected, rejectedTotal: pass.rejections.total, counts };
    }
    return { kind: 'planned', plan: this.#plan(source), rejected };
  }

  /** Closes and removes what only the pass needed. */
  async release(): Promise<void> {
    this.#pass.duplicates.close();
    this.#late.abandon();
    this.#abandonFiles();
    await Promise.allSettled(this.#finishing);
    for (const name of ['hashes.tmp', 'ids.tmp']) {
      rmSync(join(this.#task.outputFolder, name), { force: true });
    }
  }

  #opened(chunk: DraftChunk): void {
    if (!this.#task.write) return;
    chunk.files = new ChunkFiles(this.#folderOf(chunk.index));
    this.#writing.add(chunk.files);
  }

  #closed(chunk: DraftChunk): void {
    if (chunk.files === null) return;
    const finishing = chunk.files.finish();
    // Whoever awaits the list sees the failure; until then it must not count as unhandled.
    finishing.catch(() => {});
    this.#finishing.push(finishing);
    this.#writing.delete(chunk.files);
    chunk.files = null;
  }

  #between(bytesRead: number): Promise<void> | null {
    if (bytesRead >= this.#nextReport) {
      this.#nextReport = bytesRead + REPORT_STEP_BYTES;
      this.#report(bytesRead);
    }
    return this.#finishing.length > MAX_FINISHING ? this.#finished() : null;
  }

  async #finished(): Promise<void> {
    await Promise.all(this.#finishing);
    this.#finishing = [];
  }

  #abandonFiles(): void {
    for (const files of this.#writing) files.abandon();
    this.#writing.clear();
  }

  #rejectDuplicates(): void {
    const { counts, duplicates, packer, refused, rejections } = this.#pass;
    const { onInvalid, write } = this.#task;
    duplicates.find((place, firstLine) => {
      const rejection = duplicateCustomId(firstLine);
      rejections.add(place.line, rejection);
      counts.requests -= 1;
      counts.rejected += 1;
      if (refused || onInvalid === 'fail') return;
      const chunk = packer.chunks[place.chunk] as DraftChunk;
      chunk.requests -= 1;
      chunk.rejected += 1;
      chunk.sizeBytes -= place.sizeBytes;
      chunk.inputs -= place.inputs;
      if (write) this.#late.add(this.#folderOf(place.chunk), place.record, rejection);
    });
    this.#late.finish();
  }

  #folderOf(chunkIndex: number): string {
    return join(this.#task.outputFolder, chunkIdOf(chunkIndex));
  }

  #plan(source: Plan['source']): Plan {
    const { counts, digest, packer, validator } = this.#pass;
    const chunks = packer.chunks.map(plannedChunk);
    const sent = new Set(chunks.map((chunk) => chunk.model));
    return {
      // A set of rejected lines alone names no endpoint; nothing is sent to this one.
      endpoint: validator.endpoint ?? '/v1/chat/completions',
      models: packer.models.filter((model) => sent.has(model)),
      chunks,
      counts,
      source,
      idsDigest: digest.hex(),
    };
  }
}

function empty(folder: string): void {
  for (const name of readdirSync(folder)) {
    rmSync(join(folder, name), { recursive: true, force: true });
  }
}
