/**
 * The audit of a finished job: everything that is stored of it is made once more from the bytes
 * below it, and compared. Journal → plan → chunks → parts → result and manifest.
 */

import { createHash } from 'node:crypto';
import type { PartRecord } from '../domain/chunk.ts';
import type { JobId } from '../domain/ids.ts';
import type { JobState } from '../domain/job.ts';
import type { Plan, PlannedChunk } from '../domain/plan.ts';
import type { JoinPart } from '../stages/answers/part-cursor.ts';
import { manifestOf } from '../stages/manifest.ts';
import {
  chunkFileName,
  chunkStreamName,
  jobStreamName,
  manifestName,
  planName,
  settledName,
} from '../stages/names.ts';
import type { SettledMark } from '../stages/settle.ts';
import { markOf } from '../stages/settle.ts';
import { auditChunkBytes } from './chunk-byte-audit.ts';
import type { ByteAuditTools } from './chunk-byte-audit.ts';
import { auditChunk, auditJob } from './journal-audit.ts';
import { sameValue } from './same-value.ts';
import { strangeNames } from './strange-names.ts';

/** Sentences, each of which names an object of the store; empty where all is as it should be. */
export async function auditBytes(id: JobId, tools: ByteAuditTools): Promise<string[]> {
  const folder = await tools.scratch.makeFolder('audit');
  try {
    return await new JobByteAudit(id, folder, tools).run();
  } finally {
    await tools.scratch.removeFolder(folder);
  }
}

type Merged = Extract<JobState, { status: 'merged' | 'done' }>;

class JobByteAudit {
  readonly #id: JobId;
  readonly #folder: string;
  readonly #tools: ByteAuditTools;
  readonly #problems: string[] = [];

  constructor(id: JobId, folder: string, tools: ByteAuditTools) {
    this.#id = id;
    this.#folder = folder;
    this.#tools = tools;
  }

  async run(): Promise<string[]> {
    const problems = this.#problems;
    const { state, damage } = await auditJob(this.#tools.journal, this.#id);
    if (damage !== null) return [damage];
    if (state?.status !== 'merged' && state?.status !== 'done') return problems;
    const plan = await this.#plan(state);
    if (plan === null) return problems;
    problems.push(...(await strangeNames(this.#id, plan.chunks, this.#tools.blobs)));
    const chunks: AuditedChunk[] = [];
    for (const chunk of plan.chunks) chunks.push(await this.#chunk(chunk));
    const whole = chunks.flatMap(({ mark, part }) =>
      mark === null || part === null ? [] : [{ mark, part }],
    );
    if (whole.length === plan.chunks.length) await this.#result(state, whole);
    return problems;
  }

  async #plan(state: Merged): Promise<Plan | null> {
    const name = planName(this.#id);
    const bytes = await this.#tools.blobs.get(name);
    const sha256 = bytes && createHash('sha256').update(bytes).digest('hex');
    if (bytes !== null && sha256 === state.plan.sha256) {
      return JSON.parse(bytes.toString()) as Plan;
    }
    this.#problems.push(`${name} is ${bytes === null ? 'missing' : 'not the one of the journal'}.`);
    return null;
  }

  async #chunk(chunk: PlannedChunk): Promise<AuditedChunk> {
    const { journal, blobs } = this.#tools;
    const { state, close, damage } = await auditChunk(journal, this.#id, chunk);
    if (damage !== null || state.status !== 'settled') {
      const stream = chunkStreamName(this.#id, chunk.id);
      this.#problems.push(damage ?? `${stream} does not end settled.`);
      return { mark: null, part: null };
    }
    const settled = { chunk, state, close };
    const audited = await auditChunkBytes(this.#id, settled, this.#folder, this.#tools);
    this.#problems.push(...audited.problems);
    const { part } = audited;
    const mark = markOf(state);
    const markName = settledName(this.#id, chunk.id);
    const stored = await blobs.get(markName);
    if (stored === null) this.#problems.push(`${markName} is missing.`);
    else if (!sameValue(parsed(stored), mark)) {
      this.#problems.push(`${markName} is not what the chunk was settled with.`);
    }
    const linesPath = await blobs
      .toLocal(chunkFileName(this.#id, chunk.id, 'lines.idx'))
      .catch(() => null);
    if (part === null || linesPath === null) return { mark, part: null };
    return { mark, part: { ...partFacts(part.record), partPath: part.path, linesPath } };
  }

  /** Joins the parts that were made once more, and says what the manifest must then be. */
  async #result(
    merged: Merged,
    chunks: readonly { mark: SettledMark; part: JoinPart }[],
  ): Promise<void> {
    const { result } = merged;
    const parts = chunks.map(({ part }) => part);
    const joined = await this.#tools.engines.run('hashResult', { parts }).catch(() => null);
    const stream = jobStreamName(this.#id);
    if (joined === null || joined.sha256 !== result.sha256 || joined.lines !== result.lines) {
      this.#problems.push(`The parts do not join to the result that ${stream} names.`);
    }
    const marks = chunks.map(({ mark }) => mark);
    for (const kind of ['succeeded', 'failed', 'rejected'] as const) {
      const sum = marks.reduce((total, mark) => total + mark[kind], 0);
      if (sum !== result[kind]) this.#problems.push(`${stream} counts ${kind} lines that are not.`);
    }
    const name = manifestName(this.#id);
    const stored = (await this.#tools.blobs.get(name))?.toString() ?? '';
    const version = (parsed(stored) as { batchwright?: unknown } | null)?.batchwright;
    if (stored === manifestOf({ ...merged, status: 'planned' }, result, marks, String(version)))
      return;
    this.#problems.push(`${name} does not say what the chunks and the journal say.`);
  }
}

interface AuditedChunk {
  readonly mark: SettledMark | null;
  readonly part: JoinPart | null;
}

function partFacts({ crc32, sizeBytes, lines }: PartRecord) {
  return { crc32, sizeBytes, lines };
}

function parsed(text: Buffer | string): unknown {
  try {
    return JSON.parse(text.toString());
  } catch {
    return null;
  }
}
