/** The service as the client commands call it: through the contract that the service is made of. */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import type { Route } from '../../http/contract/route.ts';
import { PROGRAM_VERSION } from '../../version.ts';
import type { Incoming } from './exchange.ts';
import { exchange, ServiceUnreachable } from './exchange.ts';
import { jsonIn, problemIn, readText, ServiceProblem, StrangeAnswer } from './problems.ts';

/** The head of an answer to a small call comes within this. */
const IDLE_MS = 60_000;

/** JSON answers are pages at most; what is longer is none of ours. */
const MAX_JSON_BYTES = 64_000_000;

/** A service that is busy or restarts is asked again so often. */
const TRIES = 4;
const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 10_000;

export type QueryFields = Readonly<
  Record<string, string | number | boolean | Readonly<Record<string, string>> | undefined>
>;

export interface CallInput {
  /** Parameters of the path. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: QueryFields;
  readonly headers?: Readonly<Record<string, string>>;
  /** A JSON body. */
  readonly json?: unknown;
  /** A body that is sent as it comes, of a type that the route names. */
  readonly stream?: AsyncIterable<Buffer>;
  readonly signal?: AbortSignal | undefined;
  /** Defaults to a minute. */
  readonly idleMs?: number;
  /** Defaults to no bound. */
  readonly quietMs?: number;
}

export class ServiceClient {
  /** Without a slash at its end. */
  readonly base: string;
  readonly #key: string | null;

  constructor(base: string, key: string | null) {
    // Whoever knows the address from an SDK has the version in it; the routes have it too.
    this.base = base.replace(/\/+$/, '').replace(/\/v1$/, '');
    this.#key = key;
  }

  /**
   * The JSON answer of a small call, as the schema has it. Asked again where the service was busy
   * or not there, unless that could do something twice. Throws ServiceProblem for what the service
   * refuses, ServiceUnreachable, and StrangeAnswer for what is none of the contract's answers.
   */
  async call<Schema extends z.ZodType>(
    route: Route,
    schema: Schema,
    input: CallInput = {},
  ): Promise<z.output<Schema>> {
    for (let tries = 1; ; tries += 1) {
      try {
        const answer = await this.open(route, { quietMs: IDLE_MS, ...input });
        return await this.#parsed(route, schema, answer);
      } catch (error) {
        const waitMs = waitBefore(error, route, input, tries);
        if (waitMs === null) throw error;
        await sleep(waitMs, undefined, { signal: input.signal });
      }
    }
  }

  /** The answer with its body still to be read; its status is one of success. */
  async open(route: Route, input: CallInput = {}): Promise<Incoming> {
    const { json, stream, signal } = input;
    const answer = await exchange({
      url: this.#url(route.path, input),
      method: route.method.toUpperCase(),
      headers: this.#headers(input),
      body: stream ?? (json === undefined ? null : Buffer.from(JSON.stringify(json))),
      idleMs: input.idleMs ?? IDLE_MS,
      quietMs: input.quietMs ?? null,
      signal,
    });
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw await problemIn(answer, this.base);
  }

  async #parsed<Schema extends z.ZodType>(
    route: Route,
    schema: Schema,
    answer: Incoming,
  ): Promise<z.output<Schema>> {
    const parsed = schema.safeParse(jsonIn(await readText(answer, MAX_JSON_BYTES)));
    if (parsed.success) return parsed.data;
    const [first] = parsed.error.issues;
    const where = first === undefined ? '' : ` at ${first.path.join('.')}: ${first.message}`;
    throw new StrangeAnswer(
      `${this.base} answered ${route.operation} in a way that this version does not know${where}`,
    );
  }

  #url(path: string, { params = {}, query = {} }: CallInput): URL {
    const filled = path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) =>
      encodeURIComponent(params[name] ?? ''),
    );
    const url = new URL(this.base + filled);
    for (const [name, value] of Object.entries(query)) {
      if (value === undefined) continue;
      if (typeof value !== 'object') url.searchParams.append(name, String(value));
      else {
        for (const [key, text] of Object.entries(value)) {
          url.searchParams.append(`${name}[${key}]`, text);
        }
      }
    }
    return url;
  }

  #headers({ headers, json }: CallInput): Record<string, string> {
    return {
      'user-agent': `batchwright/${PROGRAM_VERSION}`,
      'x-request-id': randomUUID(),
      ...(this.#key !== null && { authorization: `Bearer ${this.#key}` }),
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    };
  }
}

/** How long to wait before the same call again; null: it is not to be made again. */
function waitBefore(
  error: unknown,
  route: Route,
  { stream }: CallInput,
  tries: number,
): number | null {
  if (tries >= TRIES || stream !== undefined) return null;
  const ownMs = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1));
  if (error instanceof ServiceProblem) {
    const { status } = error.body;
    if (status !== 429 && status !== 503) return null;
    return Math.min(MAX_WAIT_MS, error.retryAfterMs ?? ownMs);
  }
  // Where nobody listens, nobody will in a moment: say so at once.
  if (!(error instanceof ServiceUnreachable) || error.isUnheard) return null;
  return route.method === 'get' ? ownMs : null;
}
