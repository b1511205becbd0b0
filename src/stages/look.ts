/** Looking for batches that exist although nobody could tell us their ids. */

import type { BatchProvider, ProviderBatch } from '../ports/batch-provider.ts';

/** Servers' clocks for files and for batches may differ by this much. */
const CLOCK_SLACK_MS = 10 * 60_000;

/** A listing longer than this is not complete, in pages of 100. */
const MAX_PAGES = 2_000;

/**
 * All batches over these input files, oldest first. Lists to the end; only a provider that is
 * known to list the newest first is listed back to its own creation time of the oldest file. A
 * batch that is overlooked is paid twice, so nothing about the order is ever guessed.
 * Resolves only after a complete listing; rejects with `Weather` otherwise.
 */
export async function findBatches(
  provider: BatchProvider,
  files: readonly { fileId: string; createdAtMs: number }[],
  listsNewestFirst: boolean,
): Promise<ProviderBatch[]> {
  const wanted = new Set(files.map((file) => file.fileId));
  const backToMs = Math.min(...files.map((file) => file.createdAtMs)) - CLOCK_SLACK_MS;
  const found = new Map<string, ProviderBatch>();
  let sorted = listsNewestFirst && backToMs > 0;
  let previousMs = Number.POSITIVE_INFINITY;
  let after: string | null = null;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { batches, next } = await provider.listBatches(after);
    for (const batch of batches) {
      if (batch.inputFileId !== null && wanted.has(batch.inputFileId)) found.set(batch.id, batch);
      if (batch.createdAtMs === 0 || batch.createdAtMs > previousMs) sorted = false;
      previousMs = batch.createdAtMs;
    }
    if (next === null || (sorted && previousMs < backToMs)) return oldestFirst(found);
    after = next;
  }
  throw new Error(
    `the provider lists more than ${MAX_PAGES * 100} batches: the look is incomplete`,
  );
}

function oldestFirst(found: Map<string, ProviderBatch>): ProviderBatch[] {
  return [...found.values()].toSorted((a, b) => a.createdAtMs - b.createdAtMs);
}
