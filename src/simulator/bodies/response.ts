/** The body of the Responses API. */

import type { Made, Prompt } from './prompt.ts';
import { valueFor } from './schema-value.ts';
import { sentence, tokensOf } from './text.ts';
import { toolCallFor } from './tools.ts';

/** Honours tools, tool_choice and text.format. */
export function response(prompt: Prompt): Made {
  const { body, draws, id } = prompt;
  const call = toolCallFor(body, draws);
  const text = call === null ? textFor(prompt) : call.arguments;
  const outputTokens = tokensOf(text);
  const item =
    call === null
      ? {
          id: `msg_${id}`,
          type: 'message',
          status: 'completed',
          role: 'assistant',
          content: [{ type: 'output_text', annotations: [], logprobs: [], text }],
        }
      : {
          id: `fc_${id}`,
          type: 'function_call',
          status: 'completed',
          call_id: `call_${id}`,
          ...call,
        };
  return {
    outputTokens,
    body: {
      id: `resp_${id}`,
      object: 'response',
      created_at: prompt.createdAt,
      status: 'completed',
      background: false,
      error: null,
      incomplete_details: null,
      instructions: body['instructions'] ?? null,
      max_output_tokens: body['max_output_tokens'] ?? null,
      model: prompt.model,
      output: [item],
      parallel_tool_calls: body['parallel_tool_calls'] ?? true,
      previous_response_id: null,
      reasoning: { effort: null, summary: null },
      store: body['store'] ?? true,
      temperature: body['temperature'] ?? 1,
      text: body['text'] ?? { format: { type: 'text' } },
      tool_choice: body['tool_choice'] ?? 'auto',
      tools: body['tools'] ?? [],
      top_p: body['top_p'] ?? 1,
      truncation: 'disabled',
      usage: {
        input_tokens: prompt.inputTokens,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: outputTokens,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: prompt.inputTokens + outputTokens,
      },
      user: body['user'] ?? null,
      metadata: body['metadata'] ?? {},
    },
  };
}

function textFor({ body, draws }: Prompt): string {
  const text = body['text'] as { format?: { type?: unknown; schema?: unknown } } | undefined;
  if (text?.format?.type === 'json_schema') {
    return JSON.stringify(valueFor(text.format.schema, draws));
  }
  if (text?.format?.type === 'json_object') return JSON.stringify({ answer: sentence(draws) });
  return sentence(draws);
}
