/**
 * A small Batch server that shares no code and no thought with the project or its simulator, and
 * leaves out what it may: it refreshes a batch only when that batch is retrieved by id, lists
 * everything at once in no order, forgets metadata, states no times, counts, sizes or errors, and
 * puts failures into the output file. Its ids look like a gateway's.
 */

import { randomBytes } from 'node:crypto';
import http from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface PlainServerOptions {
  /** Batches stay in validation until this many exist. */
  readonly startWith?: number;
  /** Creates that make their batch and then reset the connection, from the first one on. */
  readonly lostCreates?: number;
  /** Lists that do not show a new batch yet. */
  readonly blindLists?: number;
  /** Requests whose first answer is a 500. */
  readonly failsFirst?: (customId: string) => boolean;
}

export interface PlainBatch {
  readonly id: string;
  readonly inputFileId: string;
  status: 'validating' | 'in_progress' | 'completed';
  outputFileId: string;
  /** Lists that leave the batch out. */
  blindLists: number;
}

export interface PlainServer {
  readonly baseUrl: string;
  /** Request files as they arrived, by file id. */
  readonly uploads: ReadonlyMap<string, Buffer>;
  readonly batches: readonly PlainBatch[];
  /** Answer lines as they were written, without newline, by decoded custom_id. */
  readonly answers: ReadonlyMap<string, readonly string[]>;
  /** Files that were not deleted. */
  readonly filesLeft: () => string[];
  /** How often each route was called: `GET /batches` … */
  readonly calls: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** Resolves when the server listens, on the loopback interface. */
export async function startPlainServer(options: PlainServerOptions = {}): Promise<PlainServer> {
  const world = new World(options);
  const server = http.createServer((request, response) => {
    world.answer(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/compatible/v1`,
    uploads: world.uploads,
    batches: world.batches,
    answers: world.answers,
    filesLeft: () => [...world.files.keys()],
    calls: world.calls,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

class World {
  readonly files = new Map<string, Buffer>();
  readonly uploads = new Map<string, Buffer>();
  readonly batches: PlainBatch[] = [];
  readonly answers = new Map<string, string[]>();
  readonly calls = new Map<string, number>();
  readonly #options: PlainServerOptions;
  #lostCreates: number;

  constructor(options: PlainServerOptions) {
    this.#options = options;
    this.#lostCreates = options.lostCreates ?? 0;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await request.toArray());
    const path = new URL(request.url ?? '', 'http://plain').pathname.replace('/compatible/v1', '');
    const [, collection = '', id = '', action = ''] = path.split('/').map(decodeURIComponent);
    const route = `${request.method} /${collection}${id && '/:id'}${action && `/${action}`}`;
    this.calls.set(route, (this.calls.get(route) ?? 0) + 1);
    if (route === 'POST /files') return reply(response, { id: this.#upload(request, body) });
    if (route === 'POST /batches') return this.#create(body, response);
    if (route === 'GET /batches') return reply(response, { data: this.#list() });
    if (route === 'GET /files') return reply(response, { data: this.#listFiles() });
    const batch = this.batches.find((one) => one.id === id);
    if (route === 'GET /batches/:id' && batch) return reply(response, this.#refresh(batch));
    const content = this.files.get(id);
    if (content === undefined) return reply(response, { detail: 'unknown' }, 404);
    if (route === 'DELETE /files/:id') this.files.delete(id);
    if (action === 'content') return void response.end(content);
    reply(response, { id });
  }

  #upload(request: IncomingMessage, body: Buffer): string {
    const boundary = /boundary=(.+)$/.exec(request.headers['content-type'] ?? '')?.[1] ?? '';
    const start = body.indexOf('\r\n\r\n', body.indexOf('name="file"')) + 4;
    const content = body.subarray(start, body.lastIndexOf(`\r\n--${boundary}--`));
    const id = newId('file');
    this.files.set(id, content);
    this.uploads.set(id, content);
    return id;
  }

  #create(body: Buffer, response: ServerResponse): void {
    const { input_file_id: inputFileId } = JSON.parse(body.toString()) as Record<string, string>;
    if (inputFileId === undefined || !this.files.has(inputFileId)) {
      return reply(response, { detail: 'no such input file' }, 404);
    }
    const batch: PlainBatch = {
      id: newId('batch'),
      inputFileId,
      status: 'validating',
      outputFileId: '',
      blindLists: this.#options.blindLists ?? 0,
    };
    // Neither the newest nor the oldest comes first.
    if (this.batches.length % 2 === 0) this.batches.push(batch);
    else this.batches.unshift(batch);
    if (this.#lostCreates === 0) return reply(response, view(batch));
    this.#lostCreates -= 1;
    response.socket?.resetAndDestroy();
  }

  #list(): object[] {
    const visible = this.batches.filter((batch) => batch.blindLists === 0);
    for (const batch of this.batches) batch.blindLists = Math.max(0, batch.blindLists - 1);
    return visible.map(view);
  }

  #listFiles(): object[] {
    return [...this.files.keys()].map((id) => ({ id }));
  }

  /** One look moves the batch one status on. */
  #refresh(batch: PlainBatch): object {
    if (batch.status === 'in_progress') {
      batch.outputFileId = this.#execute(batch.inputFileId);
      batch.status = 'completed';
    } else if (this.batches.length >= (this.#options.startWith ?? 0)) {
      if (batch.status === 'validating') batch.status = 'in_progress';
    }
    return view(batch);
  }

  /** The last request is answered first. */
  #execute(inputFileId: string): string {
    const lines = (this.uploads.get(inputFileId) ?? Buffer.alloc(0)).toString().split('\n');
    const written = lines.filter((line) => line !== '').map((line) => this.#answerOf(line));
    const id = newId('file');
    this.files.set(id, Buffer.from(written.toReversed().join('\n') + '\n'));
    return id;
  }

  #answerOf(line: string): string {
    const { custom_id: id, body } = JSON.parse(line) as RequestLine;
    const earlier = this.answers.get(id) ?? [];
    const fails = earlier.length === 0 && (this.#options.failsFirst?.(id) ?? false);
    const said = fails
      ? '{"error":{"message":"try again","code":null}}'
      : `{"model":${JSON.stringify(body.model)},"seed":12345678901234567890,"p":1.0,"t":"\u2028"}`;
    const answer =
      `{ "response":{"body":${said},"status_code":${fails ? 500 : 200}},` +
      ` "custom_id":${spelled(id)}}`;
    this.answers.set(id, [...earlier, answer]);
    return answer;
  }
}

interface RequestLine {
  readonly custom_id: string;
  readonly body: { readonly model: string };
}

function view(batch: PlainBatch): object {
  const { id, status, inputFileId, outputFileId } = batch;
  const ended = status === 'completed' ? { output_file_id: outputFileId } : {};
  return { id, status, input_file_id: inputFileId, ...ended };
}

function reply(response: ServerResponse, value: object, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function newId(kind: string): string {
  return Buffer.from(`plain;${kind};${randomBytes(7).toString('hex')}`).toString('base64');
}

/** The id as JSON with every second character escaped: other bytes, the same id. */
function spelled(id: string): string {
  const units = Array.from({ length: id.length }, (_, at) => {
    const escape = `\\u${id.charCodeAt(at).toString(16).padStart(4, '0')}`;
    return at % 2 === 0 ? escape : JSON.stringify(id.charAt(at)).slice(1, -1);
  });
  return `"${units.join('')}"`;
}
