/** The batches of the world. */

import type { EventLog } from '../events.ts';
import { hexOf, type Seed } from '../random.ts';
import { type BatchRecord, type BatchStatus, isTerminal } from './record.ts';

export interface NewBatch {
  readonly endpoint: string;
  readonly inputFileId: string;
  readonly inputFilename: string;
  readonly completionWindow: string;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly outputExpiresAfterSeconds: number | null;
  /** Unix seconds. */
  readonly createdAt: number;
  readonly expiresAt: number;
}

export class BatchShelf {
  readonly #seed: Seed;
  readonly #events: EventLog;
  readonly #batches = new Map<string, BatchRecord>();

  constructor(seed: Seed, events: EventLog) {
    this.#seed = seed;
    this.#events = events;
  }

  add(batch: NewBatch): BatchRecord {
    const ordinal = this.#batches.size + 1;
    const id = `batch_${hexOf(32, this.#seed, 'batch', ordinal, batch.inputFileId)}`;
    const record: BatchRecord = {
      ...batch,
      ...untouched(),
      ordinal,
      id,
      usage: { inputTokens: 0, outputTokens: 0 },
    };
    this.#batches.set(id, record);
    this.#events.emit({ type: 'batch_created', batchId: id, inputFileId: batch.inputFileId });
    return record;
  }

  find(id: string): BatchRecord | null {
    return this.#batches.get(id) ?? null;
  }

  /** All, oldest first. */
  all(): BatchRecord[] {
    return [...this.#batches.values()];
  }

  createdSince(unixSeconds: number): number {
    let count = 0;
    for (const batch of this.#batches.values()) if (batch.createdAt > unixSeconds) count++;
    return count;
  }

  /** Prompt tokens that live batches of the model hold. */
  enqueuedTokens(model: string): number {
    let tokens = 0;
    for (const batch of this.#batches.values()) {
      if (batch.model === model && !isTerminal(batch.status)) tokens += batch.promptTokens;
    }
    return tokens;
  }

  setStatus(batch: BatchRecord, status: BatchStatus): void {
    batch.status = status;
    this.#events.emit({ type: 'batch_status', batchId: batch.id, status });
  }
}

function untouched() {
  return {
    model: null,
    status: 'validating' as const,
    findings: [],
    outputFileId: null,
    errorFileId: null,
    inProgressAt: null,
    finalizingAt: null,
    completedAt: null,
    failedAt: null,
    expiredAt: null,
    cancellingAt: null,
    cancelledAt: null,
    total: 0,
    completed: 0,
    failed: 0,
    promptTokens: 0,
    order: null,
  };
}
