/**
 * Compares what lies at the provider with what the journal knows: batches that no attempt knows,
 * uploads that nothing refers to, and how batches under way stand. It only looks; deleting, or
 * giving back, what it found is a call of its own.
 */

import { isFinal } from '../domain/batch-status.ts';
import { parseChunkId, parseJobId } from '../domain/ids.ts';
import type { BatchProvider, ProviderBatch, ProviderFile } from '../ports/batch-provider.ts';
import type { Clock } from '../ports/clock.ts';
import { installationPrefix, parseUploadName } from '../stages/names.ts';
import type { ForgottenBatch } from './give-back.ts';
import type { BatchInFlight, KnownBatches } from './known-batches.ts';
import { chunkKey } from './known-batches.ts';
import { patiently } from './patience.ts';

/** A listing longer than this is given up. */
const MAX_PAGES = 2_000;

export interface SurveyRequest {
  /** This data directory's own name; null as below. */
  readonly own: string | null;
  /** Whose batches and files are looked for; null: a data directory that sent nothing yet. */
  readonly installation: string | null;
  /** Younger uploads may still come to be referred to. */
  readonly minFileAgeMs: number;
}

/** Batches of one job that this data directory does not know, in the order of its chunks. */
export interface UnknownBatches {
  /** The job as their metadata names it. */
  readonly job: string;
  /** It is here, but has no plan yet: it would send everything anew. */
  readonly isUnplanned: boolean;
  readonly batches: readonly ProviderBatch[];
}

export interface ProviderSurvey {
  readonly inFlight: readonly (BatchInFlight & {
    /** Null: the provider does not list it. */
    readonly batch: ProviderBatch | null;
  })[];
  readonly unknown: readonly UnknownBatches[];
  /** Batches of chunks that are here, and would be sent anew because a backup was restored. */
  readonly forgotten: readonly (ForgottenBatch & { readonly status: string })[];
  /** Batches that name other installations, by installation. */
  readonly elsewhere: ReadonlyMap<string, number>;
  /** Uploads of the installation that no attempt, no batch and no unfinished job refers to. */
  readonly orphans: readonly ProviderFile[];
}

/** Lists all batches and files. Rejects with `Weather`. */
export async function surveyProvider(
  request: SurveyRequest,
  known: KnownBatches,
  provider: BatchProvider,
  clock: Clock,
): Promise<ProviderSurvey> {
  const { installation, own } = request;
  const files = await listAll(async (after) => {
    const page = await patiently(clock, () => provider.listFiles(after));
    return { items: page.files, next: page.next };
  });
  const batches = await listAll(async (after) => {
    const page = await patiently(clock, () => provider.listBatches(after));
    return { items: page.batches, next: page.next };
  });
  const byId = new Map(batches.map((batch) => [batch.id, batch]));
  const filesById = new Map(files.map((file) => [file.id, file]));
  const strange = batches.filter((batch) => isStrange(batch, known));
  const forgotten = strange.flatMap((batch) => forgottenOf(batch, own, known, filesById));
  const returned = new Set(forgotten.map(({ batchId }) => batchId));
  const lost = strange.filter(({ id, inputFileId, metadata }) => {
    // Without its input file nobody can take it over: its job has cleaned up.
    const canBeTaken = parseJobId(metadata['job'] ?? '') !== null && inputFileId !== null;
    return canBeTaken && filesById.has(inputFileId) && !returned.has(id);
  });
  const elsewhere = new Map<string, number>();
  for (const { metadata } of lost) {
    const named = metadata['installation'];
    if (named === undefined || named === installation) continue;
    elsewhere.set(named, (elsewhere.get(named) ?? 0) + 1);
  }
  const used = new Set(batches.map(({ inputFileId }) => inputFileId));
  const isUnused = (file: ProviderFile): boolean =>
    !used.has(file.id) && isOrphan(file, request, known, clock.wallMs());
  return {
    inFlight: known.inFlight.map((one) => ({ ...one, batch: byId.get(one.batchId) ?? null })),
    unknown: byJob(
      lost.filter(({ metadata }) => metadata['installation'] === installation),
      known,
    ),
    forgotten,
    elsewhere,
    orphans: files.filter(isUnused),
  };
}

async function listAll<Item>(
  list: (after: string | null) => Promise<{ items: Item[]; next: string | null }>,
): Promise<Item[]> {
  const all: Item[] = [];
  let after: string | null = null;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { items, next }: { items: Item[]; next: string | null } = await list(after);
    all.push(...items);
    if (next === null) return all;
    after = next;
  }
  throw new Error(`the provider lists more than ${MAX_PAGES} pages: the look is incomplete`);
}

/** A batch that may have answers, and that no job here knows or will come to know by itself. */
function isStrange(batch: ProviderBatch, known: KnownBatches): boolean {
  if (batch.status === 'failed' || known.owners.has(batch.id)) return false;
  if (known.awaited.has(batch.inputFileId ?? '')) return false;
  const job = parseJobId(batch.metadata['job'] ?? '');
  // First it has to be readable again: then it says itself what it knows.
  return job === null || !known.unreadable.has(job);
}

/**
 * The chunk here that the batch was made for. Both the file's name and the metadata say it; one
 * of them may be gone, but where both are there they have to agree.
 */
function forgottenOf(
  batch: ProviderBatch,
  own: string | null,
  known: KnownBatches,
  files: ReadonlyMap<string, ProviderFile>,
): ProviderSurvey['forgotten'] {
  if (own === null) return [];
  const { id: batchId, status, inputFileId, metadata } = batch;
  const file = files.get(inputFileId ?? '');
  // Whose input file is gone, and who has ended, is of a job that has cleaned up.
  if (file === undefined && isFinal(status)) return [];
  const says = [metadata['installation'], metadata['job'], metadata['chunk']];
  const [byFile, byMetadata] = [file && parseUploadName(own, file.filename), namedBy(batch)];
  if (byFile === null) return [];
  const owner = byFile ?? (says[0] === own ? byMetadata : null);
  if (owner === null) return [];
  const expected = [own, owner.job, owner.chunk];
  if (says.some((said, index) => said !== undefined && said !== expected[index])) return [];
  const chunk = known.takers.get(chunkKey(owner.job, owner.chunk));
  if (chunk === undefined) return [];
  const number = Number(metadata['attempt']);
  const attempt = Number.isSafeInteger(number) && number > 0 ? number : null;
  return [{ job: owner.job, chunk, batchId, inputFileId, attempt, status }];
}

function namedBy({ metadata }: ProviderBatch) {
  const job = parseJobId(metadata['job'] ?? '');
  const chunk = parseChunkId(metadata['chunk'] ?? '');
  return job === null || chunk === null ? null : { job, chunk };
}

/** Uploads of an unfinished job are its own to judge: one that is damaged may still need them. */
function isOrphan(
  { id, filename, createdAtMs }: ProviderFile,
  { installation, minFileAgeMs }: SurveyRequest,
  known: KnownBatches,
  nowMs: number,
): boolean {
  if (installation === null || !filename.startsWith(installationPrefix(installation))) return false;
  const owner = parseUploadName(installation, filename);
  if (known.files.has(id) || (owner !== null && known.unfinished.has(owner.job))) return false;
  return createdAtMs > 0 && nowMs - createdAtMs >= minFileAgeMs;
}

function byJob(batches: readonly ProviderBatch[], known: KnownBatches): UnknownBatches[] {
  const jobs = new Map<string, ProviderBatch[]>();
  for (const batch of batches) {
    const job = batch.metadata['job'] ?? '';
    jobs.set(job, [...(jobs.get(job) ?? []), batch]);
  }
  return [...jobs].map(([job, own]) => ({
    job,
    isUnplanned: [...known.unplanned].some((id) => id === job),
    batches: own.toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1)),
  }));
}

function placeOf({ metadata }: ProviderBatch): string {
  return `${metadata['chunk'] ?? ''} ${(metadata['attempt'] ?? '').padStart(6, '0')}`;
}
