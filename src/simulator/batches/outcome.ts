/** Whether a request fails, by the world's flakiness and the line faults. */

import { chance } from '../random.ts';
import type { World } from '../world.ts';

export interface Failure {
  readonly status: number;
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

/** Null: it succeeds. `executedBefore` counts earlier executions of the same request. */
export function failureOf(world: World, customId: string, executedBefore: number): Failure | null {
  const { faults } = world;
  const key = `${customId} ${executedBefore}`;
  if (faults.strikes('line_error_400', customId, customId) !== null) return permanent();
  if (faults.strikes('line_error_429', customId, key) !== null) return limited();
  if (faults.strikes('line_error_quota', customId, key) !== null) return unpaid();
  if (faults.strikes('line_error_500', customId, key) !== null) return broken();
  const { permanentRate, retryableRate, retryableTimes } = world.settings.flakiness;
  if (permanentRate === 0 && retryableRate === 0) return null;
  const draw = chance(world.settings.seed, 'outcome', customId);
  if (draw < permanentRate) return permanent();
  if (draw >= permanentRate + retryableRate || executedBefore >= retryableTimes) return null;
  return chance(world.settings.seed, 'kind', customId) < 0.5 ? limited() : broken();
}

function permanent(): Failure {
  return {
    status: 400,
    error: {
      message: 'This request is longer than the context of the model.',
      type: 'invalid_request_error',
      param: 'messages',
      code: 'context_length_exceeded',
    },
  };
}

function limited(): Failure {
  return {
    status: 429,
    error: {
      message: 'Rate limit reached for the model.',
      type: 'requests',
      param: null,
      code: 'rate_limit_exceeded',
    },
  };
}

function unpaid(): Failure {
  return {
    status: 429,
    error: {
      message: 'You exceeded your current quota; check your plan and billing details.',
      type: 'insufficient_quota',
      param: null,
      code: 'insufficient_quota',
    },
  };
}

function broken(): Failure {
  return {
    status: 500,
    error: {
      message: 'The server had an error while processing your request.',
      type: 'server_error',
      param: null,
      code: null,
    },
  };
}
