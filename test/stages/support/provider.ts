/** Batches as providers answer them, and a provider that answers only what a test gives it. */

import type { BatchProvider, ProviderBatch } from '../../../src/ports/batch-provider.ts';

export function batchOf(changes: Partial<ProviderBatch> = {}): ProviderBatch {
  return {
    id: 'batch_1',
    status: 'in_progress',
    inputFileId: 'file-1',
    outputFileId: null,
    errorFileId: null,
    createdAtMs: 1_000,
    counts: null,
    errors: [],
    metadata: {},
    ...changes,
  };
}

/** Every call that is not given rejects. */
export function providerWith(calls: Partial<BatchProvider>): BatchProvider {
  const none = (): never => {
    throw new Error('a call that the test does not expect');
  };
  return {
    upload: none,
    createBatch: none,
    retrieveBatch: none,
    listBatches: none,
    cancelBatch: none,
    retrieveFile: none,
    listFiles: none,
    deleteFile: none,
    download: none,
    ...calls,
  };
}
