/** A chunk's limits: what the submitter wishes within what the provider takes. */

import { Refusal } from '../domain/errors.ts';
import type { ChunkLimits } from '../domain/plan.ts';

/** What the provider takes, and what a chunk holds where nobody says. */
export interface LimitRules {
  /** For messages. */
  readonly profile: string;
  readonly limits: ChunkLimits;
  readonly defaults: { readonly maxRequests: number; readonly maxBytes: number };
}

export interface LimitWish {
  readonly maxRequests?: number | undefined;
  readonly maxBytes?: number | undefined;
}

/** Refuses with `configuration` what the provider would not take. */
export function chunkLimits(wish: LimitWish, rules: LimitRules): ChunkLimits {
  const { limits, defaults, profile } = rules;
  const maxRequests = wish.maxRequests ?? defaults.maxRequests;
  const maxBytes = wish.maxBytes ?? defaults.maxBytes;
  if (maxRequests > limits.maxRequests || maxBytes > limits.maxBytes) {
    throw new Refusal(
      'configuration',
      `A provider of the profile ${profile} takes at most ${limits.maxRequests} requests and ` +
        `${limits.maxBytes} bytes a file: ask for fewer requests or bytes a chunk.`,
    );
  }
  return { ...limits, maxRequests, maxBytes };
}
