/** How often a batch is looked at: seconds at first, minutes later. */

export interface PollPolicy {
  /** Pins the interval; null: adaptive. */
  readonly pinnedMs: number | null;
  readonly minMs: number;
  readonly maxMs: number;
}

/** Looks per age: a batch of an hour is looked at about every two minutes. */
const AGE_SHARE = 1 / 30;

/** The time until the next look at a batch that has been watched for `watchedMs`. */
export function pollDelayMs(policy: PollPolicy, watchedMs: number): number {
  if (policy.pinnedMs !== null) return policy.pinnedMs;
  return Math.round(Math.min(policy.maxMs, Math.max(policy.minMs, watchedMs * AGE_SHARE)));
}
