/** Whether a provider was paid once for everything, as its own ledger says. */

import type { Simulator } from '../../src/simulator/simulator.ts';

/** Sentences about what was paid twice, or not as often as it should; empty where all is well. */
export function unpaidOrTwice({ ledger }: Simulator, requests: number): string[] {
  const wrong = ledger
    .executedTwice()
    .map(
      ({ customId, times, batchIds }) =>
        `${customId} was paid ${times} times by ${batchIds.join()}`,
    );
  const { requestsPaid } = ledger.totals();
  if (requestsPaid !== requests) wrong.push(`${requestsPaid} of ${requests} requests were paid`);
  for (const { inputFileId, batchIds, executedBatchIds } of ledger.batchesPerInputFile()) {
    if (batchIds.length > 1) wrong.push(`${inputFileId} has the batches ${batchIds.join()}`);
    if (executedBatchIds.length > 1)
      wrong.push(`${inputFileId} executed in ${executedBatchIds.join()}`);
  }
  return wrong;
}
