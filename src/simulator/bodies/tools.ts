/** Whether an answer calls a tool, and which, for both dialects of naming one. */

import type { Draws } from '../random.ts';
import type { RequestBody } from './prompt.ts';
import { valueFor } from './schema-value.ts';

export interface ToolCall {
  readonly name: string;
  /** JSON text that fits the tool's parameters. */
  readonly arguments: string;
}

interface Tool {
  readonly name: string;
  readonly parameters: unknown;
}

/** Null: the answer is text. Unless the request forces or forbids it, the draws decide. */
export function toolCallFor(body: RequestBody, draws: Draws): ToolCall | null {
  const tools = readTools(body['tools']);
  const choice = body['tool_choice'];
  if (tools.length === 0 || choice === 'none') return null;
  const named = nameOf(choice);
  const isForced = choice === 'required' || named !== null;
  if (!isForced && draws.next() < 0.5) return null;
  const tool = tools.find(({ name }) => name === named) ?? draws.pick(tools);
  return { name: tool.name, arguments: JSON.stringify(valueFor(tool.parameters, draws)) };
}

/** Chat nests a function's name and parameters under `function`, responses do not. */
function readTools(value: unknown): Tool[] {
  if (!Array.isArray(value)) return [];
  return (value as Record<string, unknown>[]).flatMap((tool) => {
    const nested = tool['function'] as Record<string, unknown> | undefined;
    const { name, parameters } = nested ?? tool;
    const objectOfNothing = { type: 'object', properties: {} };
    return typeof name === 'string' ? [{ name, parameters: parameters ?? objectOfNothing }] : [];
  });
}

function nameOf(choice: unknown): string | null {
  if (typeof choice !== 'object' || choice === null) return null;
  const fields = choice as { name?: unknown; function?: { name?: unknown } };
  const name = fields.function?.name ?? fields.name;
  return typeof name === 'string' ? name : null;
}
