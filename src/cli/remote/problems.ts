/** What the service says is wrong, in words and as an exit code. */

import type { ProblemBody } from '../../http/contract/problem.ts';
import { problem } from '../../http/contract/problem.ts';
import type { ExitCode } from '../exit.ts';
import { EXIT } from '../exit.ts';
import { plural } from '../terminal.ts';
import type { Incoming, ServiceUnreachable } from './exchange.ts';

/** A problem is small; what is longer is no answer of the service. */
const MAX_BYTES = 1_000_000;

/** Bad lines that are shown. */
const MAX_LINES = 20;

/** The service refused a call; its own words say why. */
export class ServiceProblem extends Error {
  override readonly name = 'ServiceProblem';
  readonly body: ProblemBody;
  /** From Retry-After, in milliseconds; null where it does not ask for a wait. */
  readonly retryAfterMs: number | null;

  constructor(body: ProblemBody, retryAfterMs: number | null) {
    super(body.detail);
    this.body = body;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What answered is no service of ours, or one of another version. */
export class StrangeAnswer extends Error {
  override readonly name = 'StrangeAnswer';
}

/** Reads a small body whole. Throws StrangeAnswer where it is none. */
export async function readText({ blocks }: Incoming, maxBytes: number): Promise<string> {
  const read: Buffer[] = [];
  let bytes = 0;
  for await (const block of blocks) {
    bytes += block.length;
    if (bytes > maxBytes) throw new StrangeAnswer(`an answer of more than ${maxBytes} bytes`);
    read.push(block);
  }
  return Buffer.concat(read).toString();
}

/** The problem that the answer states, as an error to be thrown. */
export async function problemIn(answer: Incoming): Promise<Error> {
  const { status, headers } = answer;
  const text = await readText(answer, MAX_BYTES).catch(() => '');
  const parsed = problem.safeParse(jsonIn(text));
  if (!parsed.success) {
    return new StrangeAnswer(`a status ${status} that is not explained as the service does it`);
  }
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  return new ServiceProblem(parsed.data, Number.isFinite(seconds) ? seconds * 1000 : null);
}

/** The text as JSON; undefined where it is none. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The problem in lines for people, the bad lines of a request set first. */
export function problemInWords({ body }: ServiceProblem): string {
  const { detail, errors = [], param, status, code, request_id: request } = body;
  const lines = errors.slice(0, MAX_LINES).map((bad) => `line ${bad.line}: ${bad.message}`);
  const more = errors.length - lines.length;
  if (more > 0) lines.push(`… and ${plural(more, 'more line')}`);
  const about = param === undefined ? '' : `${param}: `;
  lines.push(`${about}${detail}`);
  const way = WAYS.get(status);
  if (way !== undefined) lines.push(way);
  if (status >= 500) lines.push(`(${code}; the service’s log knows the call as ${request})`);
  return lines.join('\n');
}

/** The exit code that follows from a problem. */
export function exitOfProblem({ body: { status, code } }: ServiceProblem): ExitCode {
  if (status === 507) return EXIT.refused;
  if (status >= 500 || status === 429) return EXIT.internal;
  if (USAGE_STATUSES.has(status)) return EXIT.usage;
  return status === 400 && !SET_CODES.has(code) ? EXIT.usage : EXIT.refused;
}

/** What to do about a service that cannot be reached. */
export function unreachableInWords({ message, isUnheard }: ServiceUnreachable): string {
  const way = isUnheard
    ? 'Start one with: batchwright serve\n' +
      'or set BATCHWRIGHT_URL (or --url) to where it is; without it the data directory is used.'
    : 'Run the same command again; status and list say what the service knows.';
  return `The service could not be used: ${message}\n${way}`;
}

const WAYS: ReadonlyMap<number, string> = new Map([
  [401, 'Set BATCHWRIGHT_API_KEY to a key of the service: batchwright keys create makes one.'],
]);

/** The caller’s settings or words are wrong, not what they have to send. */
const USAGE_STATUSES: ReadonlySet<number> = new Set([401, 403, 404, 405, 415, 421]);

/** Faults of the request set itself. */
const SET_CODES: ReadonlySet<string> = new Set(['invalid_lines', 'empty_input']);
