/** Asking the provider to end a batch. */

import { isEnding } from '../domain/batch-status.ts';
import { Weather } from '../domain/errors.ts';
import type { ProviderBatch } from '../ports/batch-provider.ts';
import type { Tools } from './tools.ts';

/**
 * Asks for the end of a live batch; true where it surely ends. False after a refusal: it may be
 * ending anyway, or the provider does not see it yet, so look again. Other weather rejects.
 */
export async function cancelBatch(
  batch: ProviderBatch,
  tools: Pick<Tools, 'provider'>,
): Promise<boolean> {
  if (isEnding(batch.status)) return true;
  try {
    return isEnding((await tools.provider.cancelBatch(batch.id)).status);
  } catch (error) {
    if (error instanceof Weather && error.kind === 'permanent') return false;
    throw error;
  }
}
