/** Servers that misbehave on purpose, and the provider that has to bear them. */

import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { createOpenAiProvider } from '../../../src/adapters/openai/provider.ts';
import type { OpenAiProviderOptions } from '../../../src/adapters/openai/provider.ts';
import { Weather } from '../../../src/domain/errors.ts';
import type { BatchProvider, CreateBatchInput } from '../../../src/ports/batch-provider.ts';

/** Must never be seen in anything that a failed call leaves behind. */
export const KEY_CANARY = 'sk-canary-7f3e19c05ad24b68';

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Stage {
  readonly baseUrl: string;
  /** Requests whose headers arrived, in order; the body is complete where the server read it. */
  readonly seen: Seen[];
}

type Reply = (response: http.ServerResponse, seen: Seen, count: number) => void;

/** A server that reads each request whole and then replies as told. */
export async function stageAnswering(reply: Reply): Promise<Stage> {
  const seen: Seen[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('error', () => {});
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const one = { method, url, headers, body: Buffer.concat(chunks) };
      seen.push(one);
      reply(response, one, seen.length);
    });
  });
  return { baseUrl: await open(server), seen };
}

/** A server that replies with this status and JSON, or text. */
export function stageWith(
  status: number,
  body: unknown,
  headers: http.OutgoingHttpHeaders = {},
): Promise<Stage> {
  return stageAnswering((response) => answer(response, status, body, headers));
}

export function answer(
  response: http.ServerResponse,
  status: number,
  body: unknown,
  headers: http.OutgoingHttpHeaders = {},
): void {
  const isText = typeof body === 'string';
  const type = isText ? 'text/html' : 'application/json';
  response.writeHead(status, { 'content-type': type, ...headers });
  response.end(isText ? body : JSON.stringify(body));
}

/** A server below HTTP: what it does with each connection is all it does. */
export async function stageOfSockets(
  act: (socket: net.Socket, count: number) => void,
): Promise<{ baseUrl: string; connections: () => number }> {
  let count = 0;
  const server = net.createServer((socket) => {
    count += 1;
    socket.on('error', () => {});
    act(socket, count);
  });
  return { baseUrl: await open(server), connections: () => count };
}

/** An address at which nobody listens. */
export async function unusedBaseUrl(): Promise<string> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/v1`;
}

/** Listens until the test is over, and then cuts what is still connected. */
async function open(server: net.Server): Promise<string> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

export function providerAt(
  baseUrl: string,
  changes: Partial<OpenAiProviderOptions> = {},
): BatchProvider {
  return createOpenAiProvider({
    baseUrl,
    apiKey: KEY_CANARY,
    organization: 'org-1',
    project: 'proj-1',
    userAgent: 'batchwright/test',
    profile: { filePurpose: 'batch', uploadExpiry: 'always' },
    timeouts: { callMs: 20_000, stallMs: 20_000, answerMs: 20_000 },
    ...changes,
  });
}

export function createInput(changes: Partial<CreateBatchInput> = {}): CreateBatchInput {
  return {
    inputFileId: 'file-1',
    endpoint: '/v1/embeddings',
    completionWindow: '24h',
    metadata: { job: 'job_1' },
    timeoutMs: 20_000,
    ...changes,
  };
}

/** The weather that the call ends in; anything else fails the test. */
export async function weatherAfter(call: Promise<unknown>): Promise<Weather> {
  const outcome = await call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('error' in outcome && outcome.error instanceof Weather) return outcome.error;
  throw new Error('the call did not end in weather', { cause: outcome });
}

export function scratchFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'batchwright-openai-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

export function batchJson(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: 'batch_1',
    object: 'batch',
    status: 'in_progress',
    endpoint: '/v1/embeddings',
    input_file_id: 'file-1',
    output_file_id: null,
    error_file_id: null,
    created_at: 1_790_000_000,
    request_counts: { total: 3, completed: 1, failed: 0 },
    errors: null,
    metadata: { job: 'job_1' },
    ...changes,
  };
}
