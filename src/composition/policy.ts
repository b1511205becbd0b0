/** The settings that decide how steps behave, in the stages' own words. */

import type { Config } from '../../config/load.ts';
import { CREATE_DEADLINE_MS } from '../../config/load.ts';
import type { StagePolicy } from '../stages/tools.ts';

/** What the configuration means for the stages. */
export function policyOf(config: Config): StagePolicy {
  return {
    retry: {
      weatherBaseMs: config.BATCHWRIGHT_RETRY_BASE_MS,
      weatherMaxMs: config.BATCHWRIGHT_RETRY_MAX_MS,
      attemptPauseMs: config.BATCHWRIGHT_ATTEMPT_PAUSE_MS,
      tokenPauseBaseMs: config.BATCHWRIGHT_TOKEN_PAUSE_BASE_MS,
      tokenPauseMaxMs: config.BATCHWRIGHT_TOKEN_PAUSE_MAX_MS,
    },
    create: {
      deadlineMs: CREATE_DEADLINE_MS,
      timeoutMs: config.BATCHWRIGHT_CREATE_TIMEOUT_MS,
      settleMs: config.BATCHWRIGHT_CREATE_SETTLE_MS,
      minLooks: 3,
    },
    poll: {
      pinnedMs: config.BATCHWRIGHT_POLL_INTERVAL_MS ?? null,
      minMs: 5_000,
      maxMs: 300_000,
    },
    maxLiveBatches: config.BATCHWRIGHT_MAX_LIVE_BATCHES,
    listsNewestFirst: config.profile.listsNewestFirst,
    uploadExpiresAfterSeconds:
      config.BATCHWRIGHT_UPLOAD_EXPIRES_AFTER_SECONDS ?? config.profile.uploadExpiresAfterSeconds,
    missingBatchAlertMs: config.BATCHWRIGHT_MISSING_ALERT_MS,
    stuckBatchAlertMs: config.BATCHWRIGHT_STUCK_ALERT_MS,
  };
}
