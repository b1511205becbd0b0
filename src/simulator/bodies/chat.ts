/** The body of a chat completion. */

import type { Made, Prompt } from './prompt.ts';
import { valueFor } from './schema-value.ts';
import { sentence, tokensOf } from './text.ts';
import { toolCallFor } from './tools.ts';

/** Honours n, tools, tool_choice and response_format. */
export function chatCompletion(prompt: Prompt): Made {
  const count = Math.max(1, Number(prompt.body['n'] ?? 1));
  const choices = Array.from({ length: count }, (_, index) => choice(prompt, index));
  const outputTokens = choices.reduce((sum, { tokens }) => sum + tokens, 0);
  return {
    outputTokens,
    body: {
      id: `chatcmpl-${prompt.id}`,
      object: 'chat.completion',
      created: prompt.createdAt,
      model: prompt.model,
      choices: choices.map(({ body }) => body),
      usage: {
        prompt_tokens: prompt.inputTokens,
        completion_tokens: outputTokens,
        total_tokens: prompt.inputTokens + outputTokens,
        prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
      },
      service_tier: 'default',
    },
  };
}

function choice(prompt: Prompt, index: number): { body: unknown; tokens: number } {
  const call = toolCallFor(prompt.body, prompt.draws);
  const content = call === null ? contentFor(prompt) : null;
  const id = `call_${prompt.id.slice(0, 20)}${index}`;
  const calls = call && { tool_calls: [{ id, type: 'function', function: call }] };
  return {
    tokens: tokensOf(content ?? call?.arguments ?? ''),
    body: {
      index,
      message: { role: 'assistant', content, refusal: null, annotations: [], ...calls },
      logprobs: null,
      finish_reason: call === null ? 'stop' : 'tool_calls',
    },
  };
}

function contentFor({ body, draws }: Prompt): string {
  const format = body['response_format'] as
    | { type?: unknown; json_schema?: { schema?: unknown } }
    | undefined;
  if (format?.type === 'json_schema') {
    return JSON.stringify(valueFor(format.json_schema?.schema, draws));
  }
  if (format?.type === 'json_object') return JSON.stringify({ answer: sentence(draws) });
  return sentence(draws);
}
