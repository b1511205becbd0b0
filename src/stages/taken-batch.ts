/** A look at a batch that somebody else made, before a chunk has it. */

import { Weather } from '../domain/errors.ts';
import type { ProviderBatch } from '../ports/batch-provider.ts';
import type { Tools } from './tools.ts';

/** Null where the provider does not know it any more. */
export async function lookAtTaken(
  batchId: string,
  { provider }: Pick<Tools, 'provider'>,
): Promise<ProviderBatch | null> {
  try {
    return await provider.retrieveBatch(batchId);
  } catch (error) {
    if (error instanceof Weather && error.status === 404) return null;
    throw error;
  }
}
