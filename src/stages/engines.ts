/** The long synchronous work that runs in threads: each a function over local files. */

import { assessChunk } from './answers/assess.ts';
import { checkAnswers } from './answers/check.ts';
import { hashRanges } from './answers/hash-ranges.ts';
import { joinParts } from './answers/join.ts';
import { settleChunk } from './answers/settle.ts';
import { verifyResult } from './answers/verify.ts';
import { planRequestSet } from './plan/plan.ts';

export const engines = {
  planRequestSet,
  checkAnswers,
  assessChunk,
  hashRanges,
  settleChunk,
  joinParts,
  verifyResult,
};

export type Engines = typeof engines;
