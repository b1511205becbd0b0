/** A service with the official SDK before it, whose every answer is held against the schemas. */

import OpenAI, { toFile } from 'openai';
import { expect } from 'vitest';

import { requestLine } from '../../support/sets.ts';
import type { ServiceScene, ServiceWish } from '../../support/service.ts';
import { openServiceScene } from '../../support/service.ts';
import type { AnswerName } from '../openai-schemas.ts';
import { requireDeclared } from '../../support/declared.ts';
import { faultsOf } from '../openai-schemas.ts';

export const CHAT = '/v1/chat/completions';

export interface Door extends ServiceScene {
  readonly client: OpenAI;
  /** Uploads lines as a file for a batch. */
  readonly upload: (lines: readonly string[], filename?: string) => Promise<OpenAI.FileObject>;
  /** Makes a batch of a file. */
  readonly create: (
    fileId: string,
    more?: Partial<OpenAI.BatchCreateParams>,
  ) => Promise<OpenAI.Batch>;
  /** Looks at the batch until it stands as wished. */
  readonly until: (id: string, ...statuses: OpenAI.Batch['status'][]) => Promise<OpenAI.Batch>;
  /** Uploads, creates, and waits until the batch is over. */
  readonly run: (
    lines: readonly string[],
    more?: Partial<OpenAI.BatchCreateParams>,
  ) => Promise<OpenAI.Batch>;
  readonly text: (fileId: string | null | undefined) => Promise<string>;
}

const OVER = ['completed', 'failed', 'cancelled'] as const;

/** The SDK is as it comes, but for a key and the base URL. */
export async function openDoor(wish: ServiceWish = {}): Promise<Door> {
  const scene = await openServiceScene(wish);
  const client = new OpenAI({ apiKey: 'any', baseURL: `${scene.url}/v1`, fetch: checkedFetch });
  const upload: Door['upload'] = async (lines, filename = 'in.jsonl') => {
    const content = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    return client.files.create({ file: await toFile(content, filename), purpose: 'batch' });
  };
  const create: Door['create'] = (fileId, more) =>
    client.batches.create({
      input_file_id: fileId,
      endpoint: CHAT,
      completion_window: '24h',
      ...more,
    });
  const until: Door['until'] = async (id, ...statuses) => {
    for (;;) {
      const batch = await client.batches.retrieve(id);
      if (statuses.includes(batch.status)) return batch;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return {
    ...scene,
    client,
    upload,
    create,
    until,
    run: async (lines, more) => until((await create((await upload(lines)).id, more)).id, ...OVER),
    text: async (fileId) => (await client.files.content(fileId ?? '')).text(),
  };
}

/** As many chat requests, called r-0, r-1 … */
export function chatLines(count: number): string[] {
  return Array.from({ length: count }, (_, index) => requestLine(`r-${index}`));
}

/** The ids of answer lines, in their order. */
export function idsIn(text: string): string[] {
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => (JSON.parse(line) as { custom_id: string }).custom_id);
}

/** What the SDK says of an error answer. */
export async function refusalOf(promise: Promise<unknown>) {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof OpenAI.APIError)) throw new Error(`not refused: ${String(error)}`);
  const { status, code, param, message } = error;
  return { status, code, param, message };
}

/** fetch, which fails the test where an answer is not built as OpenAI says. */
export async function checkedFetch(
  input: string | URL | Request,
  init?: RequestInit,
): Promise<Response> {
  const response = await fetch(input, init);
  const url = new URL(input instanceof Request ? input.url : input);
  await requireDeclared(init?.method ?? 'GET', url.href, response.status);
  const name = nameOf(init?.method ?? 'GET', url.pathname, response.ok);
  if (name === null) requireAnswers(await response.clone().text());
  if (name === null) return response;
  const faults = faultsOf(name, await response.clone().json());
  expect(faults, `${name} of ${init?.method} ${url.pathname}`).toEqual([]);
  return response;
}

/** OpenAI's schemas say nothing of answer lines; typed clients rely on what its guide shows. */
function requireAnswers(content: string): void {
  for (const text of content.split('\n').slice(0, -1)) {
    if (!text.startsWith('{') || !text.includes('"response":')) continue;
    const {
      id,
      custom_id: customId,
      response,
      error,
    } = JSON.parse(text) as Record<string, unknown>;
    expect([typeof id, typeof customId], text).toEqual(['string', 'string']);
    expect(response === null, text).toBe(error !== null);
    const words = error === null ? {} : { code: expect.any(String), message: expect.any(String) };
    expect(error ?? {}, text).toMatchObject(words);
  }
}

/** Null: the answer is a file's content. */
function nameOf(method: string, path: string, isOk: boolean): AnswerName | null {
  if (!isOk) return 'ErrorResponse';
  if (path.endsWith('/content')) return null;
  const isList = method.toUpperCase() === 'GET' && /^\/v1\/(files|batches)$/.test(path);
  if (path.startsWith('/v1/batches')) return isList ? 'ListBatchesResponse' : 'Batch';
  if (method.toUpperCase() === 'DELETE') return 'DeleteFileResponse';
  return isList ? 'ListFilesResponse' : 'OpenAIFile';
}
