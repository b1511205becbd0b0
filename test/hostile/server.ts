/**
 * A Batch server that shares no code with the project, goes wrong in every way that a seed asks
 * for, and keeps its own books of what it did and what that costs.
 */

import http from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Batches } from './batches.ts';
import { Files, uploadIn } from './files.ts';
import { Ledger } from './ledger.ts';
import type { Batch } from './ledger.ts';
import { Lists } from './lists.ts';
import { Mischief } from './mischief.ts';
import { Wire } from './wire.ts';

export interface HostileServer {
  readonly baseUrl: string;
  readonly ledger: Ledger;
  readonly mischief: Mischief;
  /** Called at the beginning of each request with its number, from 1. */
  onRequest: (number: number) => void;
  close(): Promise<void>;
}

const PREFIX = '/some gateway/v1';

/** A create that got no answer before this time is given up by its sender. */
export const CREATE_TIMEOUT_MS = 400;

/** Resolves when the server listens, on the loopback interface. */
export async function startHostileServer(seed: number): Promise<HostileServer> {
  const world = new World(seed);
  const server = http.createServer((request, response) => {
    world.answer(request, response).catch((error: unknown) => {
      process.stderr.write(`hostile server: ${String(error)}\n`);
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(world, {
    baseUrl: `http://127.0.0.1:${port}${encodeURI(PREFIX)}`,
    close: async () => {
      world.stopTimers();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}

class World {
  readonly ledger = new Ledger();
  readonly mischief: Mischief;
  onRequest: (number: number) => void = () => undefined;
  readonly #files: Files;
  readonly #batches: Batches;
  readonly #lists: Lists;
  readonly #wire: Wire;
  readonly #timers = new Set<NodeJS.Timeout>();
  #requests = 0;

  constructor(seed: number) {
    this.mischief = new Mischief(seed);
    this.#files = new Files(this.ledger, this.mischief);
    this.#lists = new Lists(this.mischief);
    this.#wire = new Wire(this.mischief);
    this.#batches = new Batches(this.ledger, this.mischief, (content) =>
      this.#files.add(content, 'answers.jsonl', 'batch_output'),
    );
  }

  stopTimers(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#requests += 1;
    this.onRequest(this.#requests);
    response.on('error', () => undefined);
    const chunks = await request.toArray().catch(() => null);
    if (chunks === null) return;
    this.#batches.advance();
    const url = new URL(request.url ?? '', 'http://hostile');
    const path = url.pathname.slice(encodeURI(PREFIX).length);
    const [, collection = '', id = '', action = ''] = path.split('/').map(decodeURIComponent);
    const shape = `${request.method} ${collection}${id && ' id'}${action && ` ${action}`}`;
    const answer = this.#route(shape, id, url, request, Buffer.concat(chunks), response);
    // A create's own mischief comes first: whoever sends it must never take it for "not done".
    if (answer !== null) await answer;
  }

  #route(
    shape: string,
    id: string,
    url: URL,
    request: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
  ): Promise<void> | null {
    const wire = this.#wire;
    if (shape === 'POST batches') return this.#create(body, response);
    if (shape === 'POST files') return this.#upload(request, body, response);
    if (wire.refuses(shape, response)) return null;
    if (shape === 'GET batches') return wire.json(response, this.#listBatches(url));
    if (shape === 'GET files') return wire.json(response, this.#listFiles(url));
    if (shape.includes('batches id')) return this.#batch(shape, id, response);
    return this.#file(shape, id, response);
  }

  async #upload(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    if (this.#wire.refuses('POST files', response)) return;
    const { name, file } = uploadIn(request, body);
    const stored = this.#files.add(file, name, 'batch');
    if (this.mischief.happens('lost_upload', this.#requests)) {
      return this.#wire.fail(response, 500, '{"error":{"message":"stored, but"}}');
    }
    return this.#wire.json(response, this.#files.view(stored));
  }

  async #create(body: Buffer, response: ServerResponse): Promise<void> {
    const wire = this.#wire;
    const wanted = JSON.parse(body.toString()) as { input_file_id: string; metadata: object };
    const number = this.#requests;
    if (wire.limitsRate('POST batches', response)) return;
    if (this.mischief.happens('file_not_found', number)) {
      const message = `Cannot find file ${wanted.input_file_id}, or no access to it.`;
      return wire.fail(response, 400, JSON.stringify({ error: { message } }));
    }
    const make = (isTwin = false): Batch | null =>
      this.#batches.create(wanted.input_file_id, { ...wanted.metadata }, isTwin);
    if (this.mischief.happens('no_create', number)) return wire.breakOff(response, number, null);
    if (this.mischief.happens('late_create', number)) {
      const afterMs = CREATE_TIMEOUT_MS + 150;
      const timer = setTimeout(() => {
        const late = make();
        if (late !== null) late.hiddenLists = 0;
      }, afterMs);
      this.#timers.add(timer);
      return;
    }
    const batch = make();
    if (batch === null) {
      return wire.fail(response, 404, '{"error":{"message":"No such file."}}');
    }
    if (this.mischief.happens('twin_create', number)) make(true);
    const text = JSON.stringify(this.#batches.view(batch));
    if (this.mischief.happens('lost_create', number)) return wire.breakOff(response, number, text);
    return wire.json(response, JSON.parse(text) as object);
  }

  #listBatches(url: URL): object {
    const visible = this.ledger.batches.filter((batch) => batch.hiddenLists === 0);
    const page = this.#lists.page('batches', visible, url);
    if (page.isFirst) {
      for (const batch of this.ledger.batches) {
        batch.hiddenLists = Math.max(0, batch.hiddenLists - 1);
      }
    }
    return page.body((batch) => this.#batches.view(batch));
  }

  #listFiles(url: URL): object {
    const page = this.#lists.page('files', this.#files.list(), url);
    return page.body((file) => this.#files.view(file));
  }

  async #batch(shape: string, id: string, response: ServerResponse): Promise<void> {
    const wire = this.#wire;
    const batch = this.ledger.batches.find((one) => one.id === id);
    const isLost = (batch?.looks ?? 0) < 3 && this.mischief.happens('batch_not_found', id);
    if (batch === undefined || isLost) {
      if (batch !== undefined) batch.looks += 1;
      return wire.fail(response, 404, '{"error":{"message":"No such batch."}}');
    }
    batch.looks += 1;
    if (!shape.endsWith('cancel')) return wire.json(response, this.#batches.view(batch));
    if (this.#batches.isEnded(batch)) {
      return wire.fail(response, 409, '{"error":{"message":"It has ended."}}');
    }
    this.#batches.cancel(batch);
    return wire.json(response, this.#batches.view(batch));
  }

  async #file(shape: string, id: string, response: ServerResponse): Promise<void> {
    const wire = this.#wire;
    const file = this.#files.find(id);
    if (file === null) return wire.fail(response, 404, '{"error":{"message":"No such File"}}');
    if (shape.startsWith('DELETE')) {
      if (this.mischief.happens('refused_delete', this.#requests)) {
        return wire.fail(response, 503, '');
      }
      file.deleted = true;
      return wire.json(response, { id, object: 'file', deleted: true });
    }
    if (!shape.endsWith('content')) return wire.json(response, this.#files.view(file));
    const download = this.#files.content(file);
    if (download.kind === 'absent') {
      return wire.fail(response, 404, '{"error":{"message":"No such File"}}');
    }
    if (download.kind === 'reset') return wire.reset(response, file.content);
    if (download.kind === 'short') return wire.bytes(response, download.content);
    return wire.bytes(response, file.content);
  }
}
