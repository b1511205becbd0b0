/** Turns one request line into its answer lines, and enters it in the ledger. */

import { hash } from 'node:crypto';

import { answerBody, type Usage } from '../bodies/answer.ts';
import { hexOf } from '../random.ts';
import type { World } from '../world.ts';
import { memberBytes } from './json-span.ts';
import { type Failure, failureOf } from './outcome.ts';
import { type BatchRecord, subjectOf } from './record.ts';
import { spoil } from './spoil.ts';
import { BYTES_PER_TOKEN } from './validation.ts';

export interface Answer {
  readonly isSuccess: boolean;
  readonly output: readonly Buffer[];
  readonly errors: readonly Buffer[];
}

interface Request {
  readonly customId: string;
  readonly bodySha256: string;
  readonly bodyBytes: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0 };

export class Answerer {
  readonly #world: World;
  readonly #batch: BatchRecord;

  constructor(world: World, batch: BatchRecord) {
    this.#world = world;
    this.#batch = batch;
  }

  /** The request's answer; it counts as paid where it is a success that arrives unspoilt. */
  execute(line: Buffer): Answer {
    const request = parse(line);
    const { customId, bodySha256 } = request;
    const before = this.#world.ledger.executionsOf(customId, bodySha256).executed;
    const failure = failureOf(this.#world, customId, before);
    const { text, usage } =
      failure === null ? this.#success(request) : this.#failure(request, failure);
    const spoilt = spoil(this.#world, this.#batch, customId, text, failure !== null);
    this.#enter(request, failure === null && spoilt.isDelivered, usage);
    return { isSuccess: failure === null, output: spoilt.output, errors: spoilt.errors };
  }

  /** The error line of a request that was not executed. */
  abandon(line: Buffer, code: string): Buffer {
    const request = parse(line);
    const { customId } = request;
    const isVague =
      code === 'batch_expired' &&
      this.#world.faults.strikes('expired_with_server_errors', subjectOf(this.#batch), customId) !==
        null;
    const error = isVague
      ? { code: 'server_error', message: 'The server had an error processing your request.' }
      : { code, message: ABANDONED[code] ?? code };
    const id = this.#lineId(request);
    return toLine({ id, custom_id: customId, response: null, error });
  }

  #success(request: Request): { text: Buffer; usage: Usage } {
    const { body, usage } = answerBody({
      endpoint: this.#batch.endpoint,
      seed: this.#world.settings.seed,
      body: request.body,
      bodySha256: request.bodySha256,
      inputTokens: Math.ceil(request.bodyBytes / BYTES_PER_TOKEN),
    });
    return { text: this.#answered(request, 200, body), usage };
  }

  #failure(request: Request, failure: Failure): { text: Buffer; usage: Usage } {
    const body = { error: failure.error };
    return { text: this.#answered(request, failure.status, body), usage: NO_USAGE };
  }

  #answered(request: Request, status: number, body: unknown): Buffer {
    const { customId } = request;
    const requestId = hexOf(32, this.#world.settings.seed, 'request', request.bodySha256, customId);
    return toLine({
      id: this.#lineId(request),
      custom_id: customId,
      response: { status_code: status, request_id: requestId, body },
      error: null,
    });
  }

  /** Not of the batch: whichever batch answers a request, the line is the same. */
  #lineId({ customId, bodySha256 }: Request): string {
    return `batch_req_${hexOf(32, this.#world.settings.seed, 'line', bodySha256, customId)}`;
  }

  #enter(request: Request, paid: boolean, usage: Usage): void {
    this.#batch.usage.inputTokens += usage.inputTokens;
    this.#batch.usage.outputTokens += usage.outputTokens;
    this.#world.ledger.record({
      batchOrdinal: this.#batch.ordinal,
      batchId: this.#batch.id,
      customId: request.customId,
      bodySha256: request.bodySha256,
      model: String(request.body['model']),
      paid,
      ...usage,
    });
  }
}

const ABANDONED: Readonly<Record<string, string>> = {
  batch_expired: 'This request could not be executed before the completion window expired.',
  batch_cancelled: 'This request was not executed because the batch was cancelled.',
};

function parse(line: Buffer): Request {
  const value = JSON.parse(line.toString('utf8')) as {
    custom_id: string;
    body: Record<string, unknown>;
  };
  const body = memberBytes(line, 'body') ?? Buffer.from(JSON.stringify(value.body));
  return {
    customId: value.custom_id,
    bodySha256: hash('sha256', body),
    bodyBytes: body.length,
    body: value.body,
  };
}

function toLine(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}
