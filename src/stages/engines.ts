/** The long synchronous work that runs in threads: each a function over local files. */

import { assessChunk } from './answers/assess.ts';
import { auditChunk } from './answers/audit-chunk.ts';
import { checkAnswers } from './answers/check.ts';
import { groupFailures } from './answers/failures.ts';
import { hashRanges } from './answers/hash-ranges.ts';
import { hashResult, writeResult } from './answers/join.ts';
import { settleChunk } from './answers/settle.ts';
import { verifyResult } from './answers/verify.ts';
import { planRequestSet } from './plan/plan.ts';
import { planTakenFiles } from './plan/taken-files.ts';

/** groupFailures with one argument, as a thread takes it. */
function groupFailuresOf(task: { resultPath: string; samples: number }) {
  return groupFailures(task.resultPath, { samples: task.samples });
}

export const engines = {
  planRequestSet,
  planTakenFiles,
  checkAnswers,
  assessChunk,
  hashRanges,
  groupFailures: groupFailuresOf,
  settleChunk,
  writeResult,
  hashResult,
  verifyResult,
  auditChunk,
};

export type Engines = typeof engines;
