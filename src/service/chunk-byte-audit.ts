/** Audits one settled chunk's files against its stream. */

import type {
  ChunkEvent,
  ChunkState,
  Close,
  CollectedAttempt,
  PartRecord,
} from '../domain/chunk.ts';
import type { JobId } from '../domain/ids.ts';
import type { PlannedChunk } from '../domain/plan.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Journal } from '../ports/journal.ts';
import type { Scratch } from '../ports/scratch.ts';
import type { ThreadPool } from '../ports/thread-pool.ts';
import type { AttemptAnswers } from '../stages/answers/chunk-answers.ts';
import type { Engines } from '../stages/engines.ts';
import type { AttemptFile, ChunkFile } from '../stages/names.ts';
import { attemptFileName, chunkFileName, chunkStreamName } from '../stages/names.ts';
import { sameValue } from './same-value.ts';

/** What an audit of bytes takes. */
export interface ByteAuditTools {
  readonly blobs: BlobStore;
  readonly journal: Journal;
  readonly scratch: Scratch;
  readonly engines: ThreadPool<Engines>;
}

export interface ChunkByteAudit {
  /** Sentences, each of which names an object of the store. */
  readonly problems: readonly string[];
  /** Made once more from the answers; null where that cannot be done. */
  readonly part: { readonly path: string; readonly record: PartRecord } | null;
}

/** A chunk whose stream is sound and has ended. */
export interface SettledChunk {
  readonly chunk: PlannedChunk;
  readonly state: Extract<ChunkState, { status: 'settled' }>;
  readonly close: Close | null;
}

/** The part stays below the folder. */
export async function auditChunkBytes(
  job: JobId,
  { chunk, state, close }: SettledChunk,
  folder: string,
  tools: ByteAuditTools,
): Promise<ChunkByteAudit> {
  const files = new ChunkFiles(job, chunk, tools);
  const [linesPath, idsPath] = [await files.need('lines.idx'), await files.need('ids.bin')];
  const requestsPath = await files.need('requests.jsonl');
  const rejectedPath = chunk.rejected > 0 ? await files.need('rejected.jsonl') : null;
  const { strangers, unparsable } = state.part;
  const isOver = strangers + unparsable > 0;
  const quarantinePath = isOver ? await files.need('quarantine.jsonl') : null;
  const attempts: AttemptAnswers[] = [];
  for (const attempt of state.collected) attempts.push(await files.attempt(attempt));
  if (files.problems.length > 0) return { problems: files.problems, part: null };

  const stream = chunkStreamName(job, chunk.id);
  const history = await tools.journal.history<ChunkEvent, ChunkState>(stream);
  // A later attempt, or the first of ours after answers of others, holds a rest only.
  const whole = history.findLast(
    ({ event }) => event.type === 'uploaded' && event.attempt.upload.requests === chunk.requests,
  )?.event;
  const audit = await tools.engines.run('auditChunk', {
    chunk,
    linesPath,
    idsPath,
    requestsPath,
    rejectedPath,
    quarantinePath,
    attempts,
    close,
    sentSha256: whole?.type === 'uploaded' ? whole.attempt.upload.sha256 : null,
    folder,
  });
  const problems = audit.problems.map(({ attempt, files: named, what }) => {
    const of = attempt === null ? undefined : state.collected[attempt];
    const names = named.map((file) => files.nameOf(file, of));
    // What is left over may be wrong where it lies, or where it comes from.
    const origins = named.includes('quarantine.jsonl') ? files.sources : [];
    return `${[...names, ...origins].join(', ')}: ${what}.`;
  });
  const { part } = audit;
  if (part !== null && !sameValue(part, state.part)) {
    const sources = files.sources.join(', ');
    problems.push(`What was settled does not come out again of ${sources}.`);
  }
  return { problems, part: part && { path: audit.partPath, record: part } };
}

class ChunkFiles {
  readonly problems: string[] = [];
  /** What the part is made of. */
  readonly sources: string[] = [];
  readonly #job: JobId;
  readonly #chunk: PlannedChunk;
  readonly #tools: ByteAuditTools;

  constructor(job: JobId, chunk: PlannedChunk, tools: ByteAuditTools) {
    this.#job = job;
    this.#chunk = chunk;
    this.#tools = tools;
  }

  /** A file of the chunk, or of one of its attempts. */
  nameOf(file: string, attempt?: CollectedAttempt): string {
    const { id } = this.#chunk;
    if (attempt === undefined) return chunkFileName(this.#job, id, file as ChunkFile);
    return attemptFileName(this.#job, id, attempt.folder, file as AttemptFile);
  }

  async need(file: ChunkFile): Promise<string> {
    if (file === 'rejected.jsonl') this.sources.push(this.nameOf(file));
    return this.#local(this.nameOf(file));
  }

  async attempt(attempt: CollectedAttempt): Promise<AttemptAnswers> {
    const { number, errors, requests, folder, hasOutput, hasErrors } = attempt;
    if (!hasOutput && !hasErrors) {
      return { kind: 'invalid', attempt: number, errors, sent: requests };
    }
    const local = async (file: AttemptFile): Promise<string> => {
      const name = attemptFileName(this.#job, this.#chunk.id, folder, file);
      if (file !== 'answers.idx') this.sources.push(name);
      return this.#local(name);
    };
    return {
      kind: 'answers',
      attempt: number,
      outputPath: hasOutput ? await local('output.jsonl') : null,
      errorPath: hasErrors ? await local('errors.jsonl') : null,
      indexPath: await local('answers.idx'),
    };
  }

  async #local(name: string): Promise<string> {
    try {
      return await this.#tools.blobs.toLocal(name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      this.problems.push(`${name} is missing.`);
      return '';
    }
  }
}
