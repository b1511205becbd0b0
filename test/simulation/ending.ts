/** The last check of a seed: every job ended well, and nothing of it is left over anywhere. */

import type { ChunkState } from '../../src/domain/chunk.ts';
import type { JobId } from '../../src/domain/ids.ts';
import { parseChunkId } from '../../src/domain/ids.ts';
import type { JobState } from '../../src/domain/job.ts';
import {
  attemptFileName,
  chunkFileName,
  OPEN_FOLDER,
  resultName,
  uploadPrefix,
} from '../../src/stages/names.ts';
import { INSTALLATION } from './house.ts';
import type { KnownJob } from './operator.ts';
import type { Profile } from './profile.ts';
import type { Batch, StoredFile } from './provider/batch.ts';
import { checkResult } from './result.ts';
import type { World } from './world.ts';

export async function checkEnding(world: World, jobs: ReadonlyMap<JobId, KnownJob>): Promise<void> {
  for (const [id, known] of jobs) await checkJob(world, id, known);
  const open = await world.store.list(OPEN_FOLDER);
  if (open.length > 0) world.fail(`marks of open jobs are left: ${open.join()}`);
}

async function checkJob(world: World, id: JobId, known: KnownJob): Promise<void> {
  const state = world.audit.jobs.get(id);
  if (state === undefined || !endsWell(state, known, world.profile)) {
    world.fail(`${id} ends as ${state?.status}, and nobody wished that`);
    return;
  }
  const filesLeft = state.status === 'done' ? state.filesLeft : 0;
  const left = leftFiles(world, id);
  if (left.length > filesLeft) {
    world.fail(`${id} leaves ${left.join()} at the provider, and told of ${filesLeft} files`);
  }
  if (state.status !== 'done' || known.pruned) return;
  await checkQuarantine(world, id);
  checkResult(world, state, known, world.store.peek(resultName(id)));
}

/** Only its owner's cancel ends a job in any other way than with the answers to all of it. */
function endsWell(state: JobState, { cancelled }: KnownJob, { rates }: Profile): boolean {
  if (state.intent.kind === 'cancel' && !cancelled) return false;
  if (state.status !== 'refused') return state.status === 'done';
  if (state.refusal.code === 'job_cancelled') return cancelled;
  // An input file that is not found just now is taken for one that went away.
  return state.refusal.code === 'not_adoptable' && rates.notFound > 0;
}

/** Files whose deletion nobody asked for, although they were there to be found. */
function leftFiles(world: World, id: JobId): string[] {
  const { files, batches, filesRefusedAtMs } = world.model;
  const prefix = uploadPrefix(INSTALLATION, id);
  // What was uploaded by a process that had slept through the job's end is nobody's any more.
  const mergedAtMs = world.audit.mergedAtMs(id);
  const uploads = [...files.values()].filter(
    ({ filename, createdAtMs }) => filename.startsWith(prefix) && createdAtMs < mergedAtMs,
  );
  // Who may not look at the files cannot find those of which the journal does not know.
  const isListed = filesRefusedAtMs < mergedAtMs;
  const answers = chunksOf(world, id)
    .flatMap(([, { collected }]) => collected)
    .map(({ batchId }) => batches.get(batchId))
    .filter((batch) => batch !== undefined)
    .filter((batch) => !isKeptOnPurpose(world, batch) && batch.filesShownAtMs === 0)
    .filter(({ id: batchId }) => !isOthers(world, id, batchId))
    .flatMap(({ outputFileId, errorFileId }) => [outputFileId, errorFileId])
    .map((file) => files.get(file ?? ''));
  const recorded = new Set(chunksOf(world, id).flatMap(([, state]) => state.files));
  return [...uploads.filter((file) => isListed || recorded.has(file.id)), ...answers]
    .filter((file): file is StoredFile => file !== undefined && !file.deletionConfirmed)
    .map(({ id: file, filename }) => `${file} (${filename})`);
}

/** What is missing here may still be found in the provider's files. */
function isKeptOnPurpose(world: World, batch: Batch): boolean {
  const isPaidElsewhere = batch.customIds.some((id) => world.model.ledger.payers(id).length > 1);
  return batch.isShort || isPaidElsewhere;
}

/** Files of batches that were taken over stay where their owner wished it. */
function isOthers(world: World, id: JobId, batchId: string): boolean {
  const source = world.audit.jobs.get(id)?.spec.source;
  if (source?.kind !== 'batches' || !source.keepsFiles) return false;
  return source.batches.some((batch) => batch.batchId === batchId);
}

/** Answers that nobody asked for are not thrown away. */
async function checkQuarantine(world: World, id: JobId): Promise<void> {
  for (const [key, { collected }] of chunksOf(world, id)) {
    const chunk = parseChunkId(key.slice(id.length + 1));
    if (chunk === null) continue;
    const hasStrangers = collected.some(({ folder, hasOutput }) => {
      const output = attemptFileName(id, chunk, folder, 'output.jsonl');
      return hasOutput && world.store.peek(output).includes('"stranger-');
    });
    if (!hasStrangers) continue;
    const name = chunkFileName(id, chunk, 'quarantine.jsonl');
    const isThere = (await world.store.head(name)) !== null;
    if (!isThere) world.fail(`${name} is missing, and strangers had answers`);
  }
}

function chunksOf(world: World, id: JobId): [string, ChunkState][] {
  return [...world.audit.chunks].filter(([key]) => key.startsWith(`${id}/`));
}
