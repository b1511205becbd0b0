/**
 * The ledger: what was executed, how often, for which batch and input file, and what it would
 * have cost. Tests read it to prove that nothing was paid twice.
 *
 * Paid means: answered with success, and the answer was written whole where its owner can read
 * it. Failures cost nothing; neither do answers that a fault of the simulator lost or spoilt.
 */

import { type ExecutionCount, ExecutionTable } from './execution-table.ts';

export interface Execution {
  readonly batchOrdinal: number;
  readonly batchId: string;
  readonly customId: string;
  /** Hexadecimal sha256 of the bytes of the request's body. */
  readonly bodySha256: string;
  readonly model: string;
  readonly paid: boolean;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface PaidTwice {
  readonly customId: string;
  readonly bodySha256: string;
  /** How often it was paid. */
  times: number;
  readonly batchIds: string[];
}

export interface InputFileBatches {
  readonly inputFileId: string;
  /** All that were created, in order. */
  readonly batchIds: string[];
  /** Those that came as far as executing. */
  readonly executedBatchIds: string[];
}

export interface ModelTotals {
  paidRequests: number;
  inputTokens: number;
  outputTokens: number;
}

export interface LedgerTotals {
  readonly batchesCreated: number;
  readonly batchesExecuted: number;
  readonly filesUploaded: number;
  readonly filesDeleted: number;
  /** Executions, repeated ones included. */
  readonly requestsExecuted: number;
  readonly requestsPaid: number;
  /** Different requests (custom_id and body) among the executed. */
  readonly distinctRequests: number;
  readonly requestsPaidTwice: number;
  readonly models: Readonly<Record<string, ModelTotals>>;
}

export class Ledger {
  #table = new ExecutionTable();
  #paidTwice = new Map<string, PaidTwice>();
  #byInputFile = new Map<string, InputFileBatches>();
  #models = new Map<string, ModelTotals>();
  #calls = new Map<string, number>();
  #batchIds = new Map<number, string>();
  #counts = { created: 0, begun: 0, uploaded: 0, deleted: 0, executed: 0, paid: 0 };

  recordCall(operation: string): void {
    this.#calls.set(operation, (this.#calls.get(operation) ?? 0) + 1);
  }

  recordUpload(): void {
    this.#counts.uploaded++;
  }

  recordDelete(): void {
    this.#counts.deleted++;
  }

  recordBatch(batch: { ordinal: number; id: string; inputFileId: string }): void {
    this.#counts.created++;
    this.#batchIds.set(batch.ordinal, batch.id);
    this.#batchesOf(batch.inputFileId).batchIds.push(batch.id);
  }

  recordBegin(batch: { id: string; inputFileId: string }): void {
    this.#counts.begun++;
    this.#batchesOf(batch.inputFileId).executedBatchIds.push(batch.id);
  }

  record(execution: Execution): void {
    const key = keyOf(execution.customId, execution.bodySha256);
    const count = this.#table.add(key, execution.batchOrdinal, execution.paid);
    this.#counts.executed++;
    if (!execution.paid) return;
    this.#counts.paid++;
    if (count.paid > 1) this.#recordPaidTwice(key, execution, count);
    const totals = this.#models.get(execution.model) ?? noTotals();
    this.#models.set(execution.model, totals);
    totals.paidRequests++;
    totals.inputTokens += execution.inputTokens;
    totals.outputTokens += execution.outputTokens;
  }

  /** How often a request (its custom_id and the sha256 of its body's bytes) was executed. */
  executionsOf(customId: string, bodySha256: string): ExecutionCount {
    return this.#table.count(keyOf(customId, bodySha256));
  }

  /** The requests that were paid more than once; empty where all is well. */
  executedTwice(): PaidTwice[] {
    return [...this.#paidTwice.values()];
  }

  batchesPerInputFile(): InputFileBatches[] {
    return [...this.#byInputFile.values()];
  }

  /** Operation → number of calls, failed ones included. */
  calls(): Record<string, number> {
    return Object.fromEntries(this.#calls);
  }

  totals(): LedgerTotals {
    return {
      batchesCreated: this.#counts.created,
      batchesExecuted: this.#counts.begun,
      filesUploaded: this.#counts.uploaded,
      filesDeleted: this.#counts.deleted,
      requestsExecuted: this.#counts.executed,
      requestsPaid: this.#counts.paid,
      distinctRequests: this.#table.size,
      requestsPaidTwice: this.#paidTwice.size,
      models: Object.fromEntries(this.#models),
    };
  }

  #recordPaidTwice(key: string, execution: Execution, count: ExecutionCount): void {
    const known = this.#paidTwice.get(key) ?? {
      customId: execution.customId,
      bodySha256: execution.bodySha256,
      times: 1,
      batchIds: [this.#batchIds.get(count.firstPaidBatch) ?? ''],
    };
    this.#paidTwice.set(key, known);
    known.times++;
    known.batchIds.push(execution.batchId);
  }

  #batchesOf(inputFileId: string): InputFileBatches {
    const known = this.#byInputFile.get(inputFileId);
    if (known !== undefined) return known;
    const fresh = { inputFileId, batchIds: [], executedBatchIds: [] };
    this.#byInputFile.set(inputFileId, fresh);
    return fresh;
  }
}

function keyOf(customId: string, bodySha256: string): string {
  return `${bodySha256} ${customId}`;
}

function noTotals(): ModelTotals {
  return { paidRequests: 0, inputTokens: 0, outputTokens: 0 };
}
