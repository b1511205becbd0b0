/** A request that cannot be done: what both dialects of errors are made from. */

import { StoreDamage, Refusal } from '../domain/errors.ts';
import type { RefusalCode } from '../domain/errors.ts';
import type { Dialect } from './contract/route.ts';
import type { ProblemBody } from './contract/problem.ts';

/** A bad line of a request set. */
export interface BadLine {
  readonly line: number;
  readonly code: string;
  readonly message: string;
}

export interface ProblemDetails {
  /** HTTP status, 400 to 599. */
  readonly status: number;
  /** Stable: programs test for it. */
  readonly code: string;
  /** What is wrong and the way out; without secrets and without anybody's data but the caller's. */
  readonly message: string;
  /** The parameter or field at fault. */
  readonly param?: string | null;
  readonly lines?: readonly BadLine[];
  readonly headers?: Readonly<Record<string, string>>;
}

export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly code: string;
  readonly param: string | null;
  readonly lines: readonly BadLine[];
  readonly headers: Readonly<Record<string, string>>;

  constructor({ status, code, message, param, lines, headers }: ProblemDetails) {
    super(message);
    this.status = status;
    this.code = code;
    this.param = param ?? null;
    this.lines = lines ?? [];
    this.headers = headers ?? {};
  }
}

/** Every refusal of the house, once, as a status. */
const STATUSES: Readonly<Record<RefusalCode, number>> = {
  invalid_lines: 400,
  empty_input: 400,
  input_unreadable: 400,
  input_changed: 409,
  not_enough_room: 507,
  output_not_written: 500,
  unknown_job: 404,
  unknown_key: 404,
  ambiguous_job: 404,
  not_finished: 409,
  no_result: 409,
  already_over: 409,
  idempotency_conflict: 409,
  too_many_chunks: 400,
  too_many_models: 400,
  not_adoptable: 400,
  configuration: 400,
};

const NO_ROOM_CODES: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/** The problem behind any error; what nobody foresaw says nothing of its cause. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Refusal) {
    const { code, message } = error;
    return new Problem({ status: STATUSES[code], code, message });
  }
  if (error instanceof StoreDamage) {
    const message = 'Something that belongs to this is damaged here; the operator has to see it.';
    return new Problem({ status: 500, code: error.code, message });
  }
  if (error instanceof URIError) {
    // Express cannot decode a part of the path: whatever it was meant to name, it is not there.
    const message = 'There is nothing at this path; /docs shows what there is.';
    return new Problem({ status: 404, code: 'not_found', message });
  }
  if (NO_ROOM_CODES.has(codeOf(error))) {
    const message = 'There is no room left for this; try again when room is made.';
    return new Problem({ status: 507, code: 'no_room', message, headers: { 'retry-after': '60' } });
  }
  const message = 'Something broke here; nothing is lost. Try again, and tell the operator.';
  return new Problem({ status: 500, code: 'internal', message });
}

/** The problem as the dialect's body, with its content type. */
export function bodyOf(
  problem: Problem,
  dialect: Dialect,
  requestId: string,
): { type: string; body: unknown } {
  if (dialect === 'openai') return { type: 'application/json', body: envelopeOf(problem) };
  return { type: 'application/problem+json', body: detailsOf(problem, requestId) };
}

function detailsOf(problem: Problem, requestId: string): ProblemBody {
  const { status, code, message, param, lines } = problem;
  return {
    type: `/docs#problem-${code}`,
    title: TITLES[status] ?? 'Error',
    status,
    detail: message,
    code,
    ...(param === null ? {} : { param }),
    ...(lines.length === 0 ? {} : { errors: lines.map((line) => ({ ...line })) }),
    request_id: requestId,
  };
}

function envelopeOf({ status, code, message, param }: Problem) {
  return { error: { message, type: TYPES[status] ?? typeOf(status), param, code } };
}

function typeOf(status: number): string {
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

/** OpenAI's words for kinds of errors, where they are not the usual ones. */
const TYPES: Readonly<Record<number, string>> = {
  401: 'invalid_request_error',
  403: 'permission_error',
  429: 'rate_limit_error',
};

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Request timeout',
  409: 'Conflict',
  413: 'Content too large',
  415: 'Unsupported media type',
  416: 'Range not satisfiable',
  421: 'Misdirected request',
  429: 'Too many requests',
  500: 'Internal error',
  503: 'Service unavailable',
  507: 'Insufficient storage',
};

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
