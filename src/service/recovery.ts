/**
 * Recovery: makes a data directory whole again that was restored or copied, from the journal
 * alone. It mends what follows from the journal, names what does not, and touches no entry.
 */

import type { ChunkId, JobId } from '../domain/ids.ts';
import { parseJobId } from '../domain/ids.ts';
import type { JobState, JobStatus } from '../domain/job.ts';
import { isTerminal, jobStatus } from '../domain/job.ts';
import type { PlannedChunk } from '../domain/plan.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Journal } from '../ports/journal.ts';
import type { Scratch } from '../ports/scratch.ts';
import type { ThreadPool } from '../ports/thread-pool.ts';
import type { Engines } from '../stages/engines.ts';
import { EventStream } from '../stages/event-stream.ts';
import { JOBS_FOLDER, chunkStreamName, keyName, openName, settledName } from '../stages/names.ts';
import { markSettled, writePart } from '../stages/settle.ts';
import { auditChunkFiles, auditResult, isPartWhole, tracesOf } from './file-audit.ts';
import type { JobViews } from './job-views.ts';
import { isPlanned } from './job-views.ts';
import type { KeyEvent, KeyState } from './jobs.ts';
import { auditChunk, auditJob } from './journal-audit.ts';

/** One job as it was found, and what was done. */
export interface JobRecovery {
  readonly job: JobId;
  /** Null where its journal cannot be read. */
  readonly name: string | null;
  /** `stillborn`: its submitter died before anybody could learn of it, and nothing was sent. */
  readonly status: JobStatus | 'stillborn' | 'unreadable';
  readonly mended: readonly string[];
  /** What only a backup can bring back; each names the object. */
  readonly damage: readonly string[];
  /** Chunks without an entry: not sent yet, or forgotten. Only the provider can tell. */
  readonly unrecorded: readonly ChunkId[];
}

export interface RecoveryReport {
  readonly jobs: readonly JobRecovery[];
  /** Unfinished writes and scratch folders of dead processes that were removed. */
  readonly leftovers: number;
}

export interface RecoveryTools {
  readonly blobs: BlobStore & { removeAbandoned(): Promise<number> };
  readonly journal: Journal;
  readonly scratch: Scratch;
  readonly engines: ThreadPool<Engines>;
  readonly views: JobViews;
}

interface Finding {
  readonly job: JobId;
  readonly state: JobState | null;
  readonly mended: string[];
  readonly damage: string[];
  readonly unrecorded: ChunkId[];
}

export class Recovery {
  readonly #tools: RecoveryTools;

  constructor(tools: RecoveryTools) {
    this.#tools = tools;
  }

  /** Goes through the whole store once. Needs neither Redis nor a provider. */
  async run(): Promise<RecoveryReport> {
    const { blobs, scratch } = this.#tools;
    const leftovers = (await blobs.removeAbandoned()) + (await scratch.removeAbandoned());
    const findings: Finding[] = [];
    for (const name of await blobs.list(JOBS_FOLDER)) {
      const id = parseJobId(name.replace('/', ''));
      if (id !== null) findings.push(await this.#recoverJob(id));
    }
    const owners = await this.#mendKeys(findings);
    const jobs: JobRecovery[] = [];
    for (const finding of findings) {
      const isStillborn = finding.state?.status === 'created' && !owners.has(finding.job);
      if (!isStillborn) await this.#mendOpenMark(finding);
      jobs.push(asReport(finding, isStillborn));
    }
    return { jobs, leftovers };
  }

  async #recoverJob(job: JobId): Promise<Finding> {
    const { state, damage } = await auditJob(this.#tools.journal, job);
    const finding: Finding = { job, state, mended: [], damage: [], unrecorded: [] };
    if (damage !== null) finding.damage.push(damage);
    if (state === null || !isPlanned(state)) return finding;
    if ('result' in state) {
      finding.damage.push(...(await auditResult(job, state.result, this.#tools)));
    }
    const plan = await this.#tools.views.plan(state).catch((error: unknown) => {
      finding.damage.push(error instanceof Error ? error.message : String(error));
      return null;
    });
    for (const chunk of plan?.chunks ?? []) await this.#recoverChunk(finding, state, chunk);
    return finding;
  }

  async #recoverChunk(
    finding: Finding,
    job: Parameters<JobViews['chunkTask']>[0],
    chunk: PlannedChunk,
  ): Promise<void> {
    const { journal, blobs, views } = this.#tools;
    const { state, version, damage, close } = await auditChunk(journal, finding.job, chunk);
    const lost = version === 0 && damage === null ? await this.#lostStream(job, chunk) : null;
    if (damage !== null || lost !== null) {
      finding.damage.push(damage ?? lost ?? '');
      return;
    }
    // What the merge has read, nobody needs any more.
    if (job.status !== 'planned') return;
    if (version === 0 && chunk.requests > 0) finding.unrecorded.push(chunk.id);
    const problems = await auditChunkFiles(finding.job, chunk, state, this.#tools);
    finding.damage.push(...problems);
    if (state.status !== 'settled') return;
    const task = await views.chunkTask(job, chunk);
    if ((await blobs.head(settledName(finding.job, chunk.id))) === null) {
      await markSettled(task, this.#tools);
      finding.mended.push(`${chunk.id}: its settled mark is made again`);
    }
    if (problems.length > 0 || (await isPartWhole(finding.job, chunk, state, this.#tools))) return;
    const part = await writePart(task, close, this.#tools);
    const isSame = part.crc32 === state.part.crc32 && part.sizeBytes === state.part.sizeBytes;
    if (isSame) finding.mended.push(`${chunk.id}: its part is made again from its answers`);
    else finding.damage.push(`the part of ${chunk.id} is lost, and its answers make another one`);
  }

  /** What is wrong with a chunk without an event that had one: it looks as if never sent. */
  async #lostStream(job: JobState, chunk: PlannedChunk): Promise<string | null> {
    const { id, source } = job.spec;
    // Each chunk has heard what is spread, and each that was taken over has begun with its batch.
    const hadEvents =
      job.status !== 'planned' || job.spreadRevision > 0 || source.kind === 'batches';
    const traces = await tracesOf(id, chunk.id, this.#tools.blobs);
    if (!hadEvents && traces.length === 0) return null;
    const beside = traces.length === 0 ? '' : `, but not ${traces.join(', ')}`;
    return (
      `${chunkStreamName(id, chunk.id)} is lost whole${beside}: ` +
      'its requests would be sent again. ' +
      'Put it back, or give its batches back with `recover --provider --yes`, or cancel the job ' +
      'and adopt them'
    );
  }

  /**
   * A run key that is missing, or leads to no job, leads to the newest of its jobs again: an
   * unfinished one first. Resolves to the jobs that keys lead to.
   */
  async #mendKeys(findings: readonly Finding[]): Promise<Set<JobId>> {
    const present = new Set(findings.map(({ job }) => job));
    const byKey = new Map<string, Finding[]>();
    for (const finding of findings) {
      const key = finding.state?.spec.runKey;
      if (key !== undefined) byKey.set(key, [...(byKey.get(key) ?? []), finding]);
    }
    const owners = new Set<JobId>();
    for (const [runKey, candidates] of byKey) {
      const owner = await this.#mendKey(runKey, candidates, present);
      if (owner !== null) owners.add(owner);
    }
    return owners;
  }

  async #mendKey(
    runKey: string,
    candidates: readonly Finding[],
    present: ReadonlySet<JobId>,
  ): Promise<JobId | null> {
    const newest = candidates
      .filter(({ state }) => state !== null && isPlanned(state))
      .toReversed();
    const chosen = newest.find(({ state }) => state !== null && !isTerminal(state)) ?? newest[0];
    const key = await EventStream.open<KeyEvent, KeyState>(
      this.#tools.journal,
      keyName(runKey),
      (_state, event) => event,
      null,
    ).catch((error: unknown) => {
      const [first] = candidates;
      first?.damage.push(error instanceof Error ? error.message : String(error));
      return null;
    });
    const owner = key?.state?.job ?? null;
    if (key === null || (owner !== null && present.has(owner))) return owner;
    // Of a job without a plan nothing was sent: the same command makes another one.
    if (chosen === undefined || !(await key.decide({ job: chosen.job }))) return null;
    chosen.mended.push('the same command leads to it again');
    return chosen.job;
  }

  async #mendOpenMark({ job, state, mended }: Finding): Promise<void> {
    const { blobs } = this.#tools;
    if (state === null || isTerminal(state) || (await blobs.head(openName(job))) !== null) return;
    await blobs.put(openName(job), Buffer.from(''));
    mended.push('workers look after it again');
  }
}

function asReport({ state, ...found }: Finding, isStillborn: boolean): JobRecovery {
  const status = state === null ? 'unreadable' : isStillborn ? 'stillborn' : jobStatus(state);
  return { ...found, name: state?.spec.name ?? null, status };
}
