/**
 * Adoption: makes a job of batches that another tool, or a data directory that is lost, created.
 * All is looked at before anything is written; nothing is created or changed at the provider.
 */

import { createHash } from 'node:crypto';
import { Refusal, Weather } from '../domain/errors.ts';
import { parseChunkId, parseJobId } from '../domain/ids.ts';
import type { JobId } from '../domain/ids.ts';
import type { BatchesSource, SourceBatch } from '../domain/job.ts';
import type { BatchProvider, ProviderBatch, ProviderFile } from '../ports/batch-provider.ts';
import type { Clock } from '../ports/clock.ts';
import type { JobViews } from './job-views.ts';
import type { Jobs, Submission, Submitted } from './jobs.ts';
import { chunkKey, KnownBatches } from './known-batches.ts';
import { patiently } from './patience.ts';

/** All of them are read into one plan. */
const MAX_BATCHES = 1_000;

const BATCH_ID = /^[A-Za-z0-9][\w.:-]*$/;

/**
 * What happens to the provider's files: `auto` keeps them unless this data directory made all of
 * the batches; whether another one that did is lost, only people know.
 */
export type FilesWish = 'auto' | 'keep' | 'delete';

export type AdoptionRequest = Omit<Submission, 'source' | 'name' | 'fresh'> & {
  readonly batchIds: readonly string[];
  readonly files: FilesWish;
};

interface Found {
  readonly batch: ProviderBatch;
  readonly file: ProviderFile;
}

export class Adoption {
  readonly #jobs: Jobs;
  readonly #views: JobViews;
  readonly #provider: BatchProvider;
  readonly #clock: Clock;
  readonly #installation: string | null;

  /** `installation`: this data directory's own name; null where it has none yet. */
  constructor(
    jobs: Jobs,
    views: JobViews,
    provider: BatchProvider,
    clock: Clock,
    installation: string | null,
  ) {
    this.#jobs = jobs;
    this.#views = views;
    this.#provider = provider;
    this.#clock = clock;
    this.#installation = installation;
  }

  /**
   * Attaches to the job of the same batches in the same order, or makes one. Refuses, naming all
   * that is wrong, where a batch cannot be taken over. `check` may refuse what is about to be made.
   */
  async adopt(
    request: AdoptionRequest,
    check: (source: BatchesSource) => Promise<void>,
  ): Promise<Submitted> {
    const { batchIds, files, ...rest } = request;
    const ids = [...new Set(batchIds)];
    requireIds(ids);
    const spec = { ...rest, source: sourceOf(ids, [], false) };
    const known = await this.#jobs.attach(spec, rest.options);
    if (known !== null) return { job: known, attached: true };

    const here = await KnownBatches.of(await this.#jobs.list(), this.#views);
    const found = inOwnOrder(await this.#look(ids, here));
    const isMadeHere = ({ batch }: Found): boolean =>
      jobNameOf(batch) !== null && batch.metadata['installation'] === this.#installation;
    const keepsFiles = files === 'auto' ? !found.every(isMadeHere) : files === 'keep';
    const source = sourceOf(ids, found, keepsFiles);
    await check(source);
    return this.#jobs.submit({ ...rest, name: source.location, source, fresh: false });
  }

  async #look(ids: readonly string[], here: KnownBatches): Promise<Found[]> {
    const found: Found[] = [];
    const problems: string[] = [];
    for (const id of ids) {
      const one = ownedBy(here.owners.get(id)) ?? (await this.#lookAt(id, here));
      if (typeof one === 'string') problems.push(`${id}: ${one}`);
      else found.push(one);
    }
    if (problems.length > 0) throw new Refusal('not_adoptable', problems.join('\n'));
    return found;
  }

  /** The batch with its input file, or why it cannot be taken over. */
  async #lookAt(id: string, here: KnownBatches): Promise<Found | string> {
    const batch = await patiently(this.#clock, () => this.#provider.retrieveBatch(id)).catch(
      (error: unknown) => {
        if (error instanceof Weather && error.status === 404) return null;
        throw error;
      },
    );
    if (batch === null) return 'the provider knows no such batch; check the id, key and project';
    if (batch.status === 'failed') {
      const first = batch.errors[0];
      const why = first === undefined ? '' : ` (${first.code}: ${first.message})`;
      return `it failed validation${why}, so nothing of it was executed; run its requests anew`;
    }
    const fileId = batch.inputFileId;
    if (fileId === null) return 'the provider names no input file for it; leave it out';
    const file = await patiently(this.#clock, () => this.#provider.retrieveFile(fileId));
    if (file !== null) return awaitedBy(batch, here) ?? { batch, file };
    return (
      `its input file ${fileId} is gone, so nobody can tell which requests it holds and in which ` +
      'order; leave it out, and run its requests as a set of their own'
    );
  }
}

function requireIds(ids: readonly string[]): void {
  const bad = ids.find((id) => !BATCH_ID.test(id));
  if (bad !== undefined) {
    throw new Refusal('configuration', `${JSON.stringify(bad)} is not the id of a batch.`);
  }
  if (ids.length > MAX_BATCHES) {
    throw new Refusal('configuration', `At most ${MAX_BATCHES} batches make one job.`);
  }
}

function ownedBy(job: JobId | undefined): string | null {
  if (job === undefined) return null;
  const way = `batchwright status ${job} says how it stands`;
  return `the job ${job} of this data directory has it already; ${way}`;
}

/** Why the batch belongs to an unfinished job here, although that does not know of it yet. */
function awaitedBy({ inputFileId, metadata }: ProviderBatch, here: KnownBatches): string | null {
  const looking = here.awaited.get(inputFileId ?? '');
  if (looking !== undefined) {
    return `the job ${looking} of this data directory looks for it; run its command again`;
  }
  const [job, chunk] = [parseJobId(metadata['job'] ?? ''), parseChunkId(metadata['chunk'] ?? '')];
  if (job === null) return null;
  if (chunk !== null && here.takers.has(chunkKey(job, chunk))) {
    const way = 'batchwright recover --provider --yes gives it back';
    return `the unfinished job ${job} of this data directory made it, but has forgotten it; ${way}`;
  }
  if (!here.unplanned.has(job)) return null;
  const way = `batchwright cancel ${job}, and then this command again`;
  return `the job ${job} of this data directory made it, but would send all of it anew; ${way}`;
}

/** Batches of one lost job stand in the order of its chunks; any others as they were named. */
function inOwnOrder(found: readonly Found[]): Found[] {
  const names = new Set(found.map(({ batch }) => jobNameOf(batch)));
  if (names.size !== 1 || names.has(null)) return [...found];
  const chunkOf = ({ batch }: Found): string => batch.metadata['chunk'] ?? '';
  const attemptOf = ({ batch }: Found): number => Number(batch.metadata['attempt'] ?? 0);
  return found.toSorted((a, b) =>
    chunkOf(a) === chunkOf(b) ? attemptOf(a) - attemptOf(b) : chunkOf(a) < chunkOf(b) ? -1 : 1,
  );
}

/** Which job of which installation made it; null where it does not say so. */
function jobNameOf({ metadata }: ProviderBatch): string | null {
  const { installation, job, chunk } = metadata;
  const isNamed = parseJobId(job ?? '') !== null && parseChunkId(chunk ?? '') !== null;
  return isNamed && installation !== undefined ? `${installation} ${job}` : null;
}

function sourceOf(
  ids: readonly string[],
  found: readonly Found[],
  keepsFiles: boolean,
): BatchesSource {
  const files = new Map(found.map(({ file }) => [file.id, file.sizeBytes]));
  return {
    kind: 'batches',
    location: ids.length === 1 ? (ids[0] ?? '') : `${ids.length} batches`,
    encoding: 'identity',
    sizeBytes: [...files.values()].reduce((sum, size) => sum + size, 0),
    sha256: createHash('sha256').update(JSON.stringify(ids)).digest('hex'),
    batches: found.map(({ batch, file }): SourceBatch => ({
      batchId: batch.id,
      fileId: file.id,
      fileCreatedAtMs: file.createdAtMs,
    })),
    keepsFiles,
  };
}
