/**
 * Plausible answer bodies, a function of the seed and the bytes of the request's body alone.
 *
 * Every body, also an embedding's or a moderation's, says which request it answers:
 * `system_fingerprint` is `fp_` and the first 16 hexadecimal digits of the sha256 of the bytes of
 * the request's `body` as they were uploaded.
 */

import { drawsFor, type Seed } from '../random.ts';
import { chatCompletion } from './chat.ts';
import { completion } from './completion.ts';
import { embedding } from './embedding.ts';
import { moderation } from './moderation.ts';
import type { Made, Prompt, RequestBody } from './prompt.ts';
import { response } from './response.ts';

export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

interface Question {
  readonly endpoint: string;
  readonly seed: Seed;
  readonly body: RequestBody;
  readonly bodySha256: string;
  readonly inputTokens: number;
}

const EPOCH_SECONDS = 1_760_000_000;

/** The answer to the request. */
export function answerBody(question: Question): { body: unknown; usage: Usage } {
  const { endpoint, seed, body, bodySha256, inputTokens } = question;
  const draws = drawsFor(seed, 'body', bodySha256);
  const make = MAKERS[endpoint] ?? response;
  const made = make({
    body,
    model: String(body['model']),
    inputTokens,
    draws,
    id: bodySha256.slice(0, 32),
    createdAt: EPOCH_SECONDS + draws.below(10_000_000),
  });
  return {
    body: { ...made.body, system_fingerprint: `fp_${bodySha256.slice(0, 16)}` },
    usage: { inputTokens, outputTokens: made.outputTokens },
  };
}

const MAKERS: Readonly<Record<string, (prompt: Prompt) => Made>> = {
  '/v1/chat/completions': chatCompletion,
  '/v1/completions': completion,
  '/v1/embeddings': embedding,
  '/v1/moderations': moderation,
  '/v1/responses': response,
};
