/** What a provider's word for the status of a batch says about what may still come of it. */

/** Statuses after which nothing about the batch changes any more but the ids of its files. */
export type FinalStatus = 'completed' | 'failed' | 'expired' | 'cancelled';

const FINAL: ReadonlySet<string> = new Set<FinalStatus>([
  'completed',
  'failed',
  'expired',
  'cancelled',
]);

/** Whether the batch executes nothing any more. */
export function isFinal(status: string): status is FinalStatus {
  return FINAL.has(status);
}

/** Whether the batch has ended, or was asked to: there is nothing left to cancel. */
export function isEnding(status: string): boolean {
  return isFinal(status) || status === 'cancelling';
}
