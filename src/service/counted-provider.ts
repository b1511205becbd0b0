/** The provider, with a count of what was asked of it and how that ended: for metrics. */

import { Weather } from '../domain/errors.ts';
import type {
  BatchProvider,
  CreateBatchInput,
  ProviderBatch,
  ProviderFile,
  UploadInput,
} from '../ports/batch-provider.ts';

export type ProviderOperation = keyof BatchProvider;

/** `ok`, what weather says is certain, or `fault`: this machine's own. */
export type CallOutcome = 'ok' | Weather['kind'] | 'fault';

export interface CallCount {
  readonly operation: ProviderOperation;
  readonly outcome: CallOutcome;
  readonly count: number;
}

export class CountedProvider implements BatchProvider {
  readonly #next: BatchProvider;
  readonly #counts = new Map<string, CallCount>();
  #sentBytes = 0;
  #receivedBytes = 0;

  /** Hands every call on to `next`, as it is. */
  constructor(next: BatchProvider) {
    this.#next = next;
  }

  /** One entry for each operation and outcome that there was, since the process began. */
  calls(): CallCount[] {
    return [...this.#counts.values()];
  }

  /** Of input files that were stored, and of answer files that came home whole. */
  bytes(): { readonly sent: number; readonly received: number } {
    return { sent: this.#sentBytes, received: this.#receivedBytes };
  }

  async upload(input: UploadInput): Promise<ProviderFile> {
    const file = await this.#counted('upload', this.#next.upload(input));
    for (const { start, end } of input.ranges) this.#sentBytes += end - start;
    return file;
  }

  async createBatch(input: CreateBatchInput): Promise<ProviderBatch> {
    return this.#counted('createBatch', this.#next.createBatch(input));
  }

  async retrieveBatch(batchId: string): Promise<ProviderBatch> {
    return this.#counted('retrieveBatch', this.#next.retrieveBatch(batchId));
  }

  async listBatches(after: string | null) {
    return this.#counted('listBatches', this.#next.listBatches(after));
  }

  async cancelBatch(batchId: string): Promise<ProviderBatch> {
    return this.#counted('cancelBatch', this.#next.cancelBatch(batchId));
  }

  async retrieveFile(fileId: string): Promise<ProviderFile | null> {
    return this.#counted('retrieveFile', this.#next.retrieveFile(fileId));
  }

  async listFiles(after: string | null) {
    return this.#counted('listFiles', this.#next.listFiles(after));
  }

  async deleteFile(fileId: string): Promise<void> {
    return this.#counted('deleteFile', this.#next.deleteFile(fileId));
  }

  async download(fileId: string, localPath: string): Promise<{ sizeBytes: number }> {
    const stored = await this.#counted('download', this.#next.download(fileId, localPath));
    this.#receivedBytes += stored.sizeBytes;
    return stored;
  }

  async #counted<Value>(operation: ProviderOperation, call: Promise<Value>): Promise<Value> {
    try {
      const value = await call;
      this.#count(operation, 'ok');
      return value;
    } catch (error) {
      this.#count(operation, error instanceof Weather ? error.kind : 'fault');
      throw error;
    }
  }

  #count(operation: ProviderOperation, outcome: CallOutcome): void {
    const key = `${operation} ${outcome}`;
    const count = (this.#counts.get(key)?.count ?? 0) + 1;
    this.#counts.set(key, { operation, outcome, count });
  }
}
