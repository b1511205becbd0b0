/**
 * Orphans: uploads whose process died before it could record them. The cleaning of a job deletes
 * its own; while a job runs for days, they must not lie at the provider for so long. A file over
 * which a batch runs is none, whatever the journal says: a restored one may have forgotten it.
 */

import type { ChunkEvent, ChunkState } from '../domain/chunk.ts';
import { Weather } from '../domain/errors.ts';
import type { BatchProvider, ProviderFile } from '../ports/batch-provider.ts';
import { chunkStreamName, parseUploadName } from './names.ts';
import type { Tools } from './tools.ts';

/** Between two rounds of one process; an upload under way takes less, a frozen one uploads anew. */
const ROUND_MS = 60 * 60_000;

/** A listing longer than this is not complete, and without a complete one nothing is deleted. */
const MAX_PAGES = 2_000;

const ROUND = 'orphans';

/**
 * Deletes what two rounds in a row, an hour apart, found without an event. Costs nothing but a
 * look at the time where no round is due. Bad weather ends a round: the next one comes.
 */
export async function sweepOrphans(tools: Tools): Promise<void> {
  if (tools.watch.see(ROUND).elapsedMs < ROUND_MS) return;
  tools.watch.forget(ROUND);
  tools.watch.see(ROUND);
  try {
    await runRound(tools);
  } catch (error) {
    if (!(error instanceof Weather)) throw error;
  }
}

async function runRound(tools: Tools): Promise<void> {
  const orphans: ProviderFile[] = [];
  let after: string | null = null;
  let pages = 0;
  do {
    if (pages === MAX_PAGES) return;
    const { files, next } = await tools.provider.listFiles(after);
    for (const file of files) {
      if (await isUnrecorded(file, tools)) orphans.push(file);
    }
    after = next;
    pages += 1;
  } while (after !== null);
  if (orphans.length === 0) return;
  const used = await inputFiles(tools.provider);
  if (used === null) return;
  for (const { id } of orphans) {
    if (!used.has(id)) await tools.provider.deleteFile(id);
  }
}

/** The input files of all batches; null where the list does not end or does not name them. */
async function inputFiles(provider: BatchProvider): Promise<Set<string> | null> {
  const used = new Set<string>();
  let after: string | null = null;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { batches, next } = await provider.listBatches(after);
    for (const { inputFileId } of batches) {
      if (inputFileId === null) return null;
      used.add(inputFileId);
    }
    if (next === null) return used;
    after = next;
  }
  return null;
}

async function isUnrecorded(file: ProviderFile, tools: Tools): Promise<boolean> {
  const owner = parseUploadName(tools.installation, file.filename);
  if (owner === null) return false;
  const stream = chunkStreamName(owner.job, owner.chunk);
  const entry = await tools.journal.load<ChunkEvent, ChunkState>(stream);
  // Of a chunk without an event nothing can be told: its job may be lost, with batches alive.
  if (entry === null || entry.state.files.includes(file.id)) return false;
  return tools.watch.see(`orphan ${file.id}`).elapsedMs >= ROUND_MS;
}
