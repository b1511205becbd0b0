/** The long synchronous work that runs in threads: each a function over local files. */

import { assessChunk } from './answers/assess.ts';
import { auditChunk } from './answers/audit-chunk.ts';
import { checkAnswers } from './answers/check.ts';
import { writeFailedRequests } from './answers/failed-requests.ts';
import { findFailedRuns } from './answers/failed-runs.ts';
import { groupFailures, pageFailures } from './answers/failures.ts';
import { hashRanges } from './answers/hash-ranges.ts';
import { hashResult, writeResult } from './answers/join.ts';
import { settleChunk } from './answers/settle.ts';
import { verifyResult } from './answers/verify.ts';
import { planRequestSet } from './plan/plan.ts';
import { planTakenFiles } from './plan/taken-files.ts';

export const engines = {
  planRequestSet,
  planTakenFiles,
  checkAnswers,
  assessChunk,
  hashRanges,
  findFailedRuns,
  groupFailures,
  pageFailures,
  writeFailedRequests,
  settleChunk,
  writeResult,
  hashResult,
  verifyResult,
  auditChunk,
};

export type Engines = typeof engines;
