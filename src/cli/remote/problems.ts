/** What the service says is wrong, as errors. */

import type { ProblemBody } from '../../http/contract/problem.ts';
import { problem } from '../../http/contract/problem.ts';
import type { Incoming } from './exchange.ts';
import { ServiceUnreachable } from './exchange.ts';

/** A problem is small; what is longer is no answer of the service. */
const MAX_BYTES = 1_000_000;

/** What proxies say in words of their own while the service behind them is away. */
const ABSENT: ReadonlySet<number> = new Set([502, 503, 504]);

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

/** The problem that the answer of the service at `base` states, as an error to be thrown. */
export async function problemIn(answer: Incoming, base: string): Promise<Error> {
  const { status, headers } = answer;
  const text = await readText(answer, MAX_BYTES).catch(() => '');
  const parsed = problem.safeParse(jsonIn(text));
  if (!parsed.success) {
    if (ABSENT.has(status)) {
      return new ServiceUnreachable(
        base,
        `HTTP_${status}`,
        `a proxy answered with status ${status}`,
      );
    }
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
