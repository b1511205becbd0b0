/** Small worlds for the simulator's own tests: a server, a real SDK client, request lines. */

import OpenAI, { toFile } from 'openai';
import { onTestFinished } from 'vitest';

import type { SimulatorOptions } from '../../../src/simulator/options.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

export interface TestWorld {
  readonly simulator: Simulator;
  /** Never retries. */
  readonly client: OpenAI;
}

export const CHAT = '/v1/chat/completions';
export const HOUR_MS = 3_600_000;

/** A simulator whose clock stands still unless the options say otherwise; closed after the test. */
export async function openWorld(options: SimulatorOptions = {}): Promise<TestWorld> {
  const simulator = await startSimulator({ clock: 'manual', seed: 11, ...options });
  onTestFinished(() => simulator.close());
  const client = new OpenAI({ apiKey: 'sk-test', baseURL: simulator.url, maxRetries: 0 });
  return { simulator, client };
}

/** One chat request line without its newline. */
export function chatLine(customId: string, more: object = {}): string {
  const messages = [{ role: 'user', content: `Question of ${customId}` }];
  const body = { model: 'gpt-4o-mini', messages, ...more };
  return JSON.stringify({ custom_id: customId, method: 'POST', url: CHAT, body });
}

export function chatLines(count: number): string[] {
  return Array.from({ length: count }, (_, index) => chatLine(`r-${index}`));
}

export async function upload(
  client: OpenAI,
  lines: readonly string[],
  filename = 'input.jsonl',
): Promise<OpenAI.FileObject> {
  const file = await toFile(Buffer.from(lines.map((line) => `${line}\n`).join('')), filename);
  return client.files.create({ file, purpose: 'batch' });
}

export async function createBatch(
  client: OpenAI,
  inputFileId: string,
  more: Partial<OpenAI.BatchCreateParams> = {},
): Promise<OpenAI.Batch> {
  return client.batches.create({
    input_file_id: inputFileId,
    endpoint: CHAT,
    completion_window: '24h',
    ...more,
  });
}

/** Uploads, creates, lets three virtual hours pass, and retrieves. */
export async function runBatch(
  world: TestWorld,
  lines: readonly string[],
  more: Partial<OpenAI.BatchCreateParams> = {},
): Promise<OpenAI.Batch> {
  const file = await upload(world.client, lines);
  const batch = await createBatch(world.client, file.id, more);
  await world.simulator.controls.advance(3 * HOUR_MS);
  return world.client.batches.retrieve(batch.id);
}

export async function contentOf(
  client: OpenAI,
  fileId: string | null | undefined,
): Promise<string> {
  if (!fileId) return '';
  return (await client.files.content(fileId)).text();
}

export interface AnswerLine {
  readonly id: string;
  readonly custom_id: string;
  readonly response: {
    readonly status_code: number;
    readonly request_id: string;
    readonly body: Record<string, unknown>;
  } | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

export async function answersOf(
  client: OpenAI,
  fileId: string | null | undefined,
): Promise<AnswerLine[]> {
  const text = await contentOf(client, fileId);
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as AnswerLine);
}
