/**
 * The last listing of live batches, shared by all polls of one process: with many batches alive,
 * one page of 100 replaces a hundred retrievals. A listing is only a hint (some servers refresh
 * a batch only when it is retrieved by id), so each batch is still retrieved from time to time
 * and before anything final is done with it.
 */

import type { BatchProvider, ProviderBatch } from '../ports/batch-provider.ts';
import type { Clock } from '../ports/clock.ts';

/** With fewer live batches than this, each is simply retrieved. */
const LIST_FROM = 8;

/** Pages of one listing at the most, beyond those that the live batches need. */
const SPARE_PAGES = 3;

const PAGE_SIZE = 100;

interface Live {
  looks: number;
  /** When the look after the last good one is due, monotonic: who comes earlier was woken. */
  dueMs: number;
}

export class Sightings {
  readonly #provider: BatchProvider;
  readonly #clock: Clock;
  readonly #listsPerRetrieval: number;
  readonly #live = new Map<string, Live>();
  #listing: { atMs: number; batches: Promise<Map<string, ProviderBatch>> } | null = null;

  /** `listsPerRetrieval`: how far this provider's list can be trusted. */
  constructor(provider: BatchProvider, clock: Clock, listsPerRetrieval: number) {
    this.#provider = provider;
    this.#clock = clock;
    this.#listsPerRetrieval = listsPerRetrieval;
  }

  /**
   * The batch as it was seen at most `maxAgeMs` ago, or as it is; anything that ends it is
   * confirmed by a retrieval. Who asks is expected again after `maxAgeMs`. Rejects with `Weather`.
   */
  async look(batchId: string, maxAgeMs: number): Promise<ProviderBatch> {
    const live = this.#live.get(batchId) ?? { looks: 0, dueMs: 0 };
    this.#live.set(batchId, live);
    live.looks += 1;
    const nowMs = this.#clock.monotonicMs();
    const batch = await this.#see(batchId, live, maxAgeMs);
    live.dueMs = nowMs + maxAgeMs;
    return batch;
  }

  /** The batch is not polled any more. */
  forget(batchId: string): void {
    this.#live.delete(batchId);
  }

  async #see(batchId: string, live: Live, maxAgeMs: number): Promise<ProviderBatch> {
    const isDue = live.looks % this.#listsPerRetrieval === 1;
    // A listing may be older than what somebody was woken for.
    const isWoken = this.#clock.monotonicMs() < live.dueMs;
    if (this.#live.size < LIST_FROM || isDue || isWoken) {
      return this.#provider.retrieveBatch(batchId);
    }
    const seen = (await this.#list(maxAgeMs)).get(batchId);
    if (seen !== undefined && isEarly(seen)) return seen;
    return this.#provider.retrieveBatch(batchId);
  }

  async #list(maxAgeMs: number): Promise<Map<string, ProviderBatch>> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#listing !== null && nowMs - this.#listing.atMs < maxAgeMs) {
      return this.#listing.batches;
    }
    const listing = { atMs: nowMs, batches: this.#listPages() };
    this.#listing = listing;
    listing.batches.catch(() => {
      if (this.#listing === listing) this.#listing = null;
    });
    return listing.batches;
  }

  async #listPages(): Promise<Map<string, ProviderBatch>> {
    const seen = new Map<string, ProviderBatch>();
    const missing = new Set(this.#live.keys());
    const maxPages = Math.ceil(missing.size / PAGE_SIZE) + SPARE_PAGES;
    let after: string | null = null;
    for (let page = 0; page < maxPages && missing.size > 0; page += 1) {
      const { batches, next } = await this.#provider.listBatches(after);
      for (const batch of batches) {
        seen.set(batch.id, batch);
        missing.delete(batch.id);
      }
      if (next === null) break;
      after = next;
    }
    return seen;
  }
}

/** Statuses that nothing is done about: a list may say so. */
function isEarly(batch: ProviderBatch): boolean {
  return batch.status === 'validating' || batch.status === 'in_progress';
}
