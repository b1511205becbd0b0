/** The body of a legacy completion. */

import type { Made, Prompt } from './prompt.ts';
import { sentence, tokensOf } from './text.ts';

/** Honours n and lists of prompts. */
export function completion(prompt: Prompt): Made {
  const { body, draws } = prompt;
  const asked = body['prompt'];
  const prompts = Array.isArray(asked) && typeof asked[0] !== 'number' ? asked.length : 1;
  const count = prompts * Math.max(1, Number(body['n'] ?? 1));
  const choices = Array.from({ length: count }, (_, index) => ({
    text: sentence(draws),
    index,
    logprobs: null,
    finish_reason: 'stop',
  }));
  const outputTokens = choices.reduce((sum, { text }) => sum + tokensOf(text), 0);
  return {
    outputTokens,
    body: {
      id: `cmpl-${prompt.id}`,
      object: 'text_completion',
      created: prompt.createdAt,
      model: prompt.model,
      choices,
      usage: {
        prompt_tokens: prompt.inputTokens,
        completion_tokens: outputTokens,
        total_tokens: prompt.inputTokens + outputTokens,
      },
    },
  };
}
