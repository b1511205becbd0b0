/** So many requests of a seed against one target, a few at once, and what was wrong with them. */

import { Random } from '../simulation/random.ts';
import { KnownIds } from './known-ids.ts';
import { makeRequest } from './requests.ts';
import { onWire, send } from './send.ts';
import type { Received, Sent } from './send.ts';
import type { Target } from './target.ts';

export interface FuzzReport {
  /** Requests that were sent. */
  readonly requests: number;
  /** How often each status was answered; 0: none, as to those who left or cannot be understood. */
  readonly statuses: ReadonlyMap<number, number>;
  /** One sentence each, with what is needed to see it again. */
  readonly wrong: readonly string[];
  readonly peakBytes: number;
}

const AT_ONCE = 24;

/** After so many there is enough to look into. */
const MAX_WRONG = 10;

/** The target's memory must not follow the number of requests. */
const MAX_PEAK_BYTES = 600 * 1024 * 1024;

const SHOWN_BYTES = 1_500;
const MAX_TEXT = 500;

export async function fuzz(target: Target, seed: number, requests: number): Promise<FuzzReport> {
  const statuses = new Map<number, number>();
  const wrong: string[] = [];
  const ids = new KnownIds();
  const health = { isDead: false };
  const watching = target.ended.then(({ code, stderr }) => {
    health.isDead = true;
    wrong.push(`the program ended with ${code}: ${stderr.slice(-2_000)}`);
  });
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < requests && !health.isDead && wrong.length < MAX_WRONG) {
      const number = next;
      next += 1;
      const random = new Random(seed * 1_000_003 + number);
      const sent = onWire(random, makeRequest(random, { ...target, ids }));
      const received = await send(target.port, sent);
      statuses.set(received.status, (statuses.get(received.status) ?? 0) + 1);
      if (received.status >= 200 && received.status < 300) ids.hear(received.text);
      const fault = faultOf(sent, received);
      if (fault !== null) wrong.push(`request ${number} ${fault}: ${shown(sent)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  void watching;
  const peakBytes = health.isDead ? 0 : await target.peakBytes();
  if (peakBytes > MAX_PEAK_BYTES) wrong.push(`the program held ${peakBytes} bytes at once`);
  return { requests: next, statuses, wrong, peakBytes };
}

function faultOf({ awaits }: Sent, { status, text, hung }: Received): string | null {
  if (awaits && status === 0) return 'was cut without an answer';
  if (hung) return `got no whole answer (${text.slice(0, 200)})`;
  // Asked how it is, a service on a busy machine may well say: not ready.
  if (status === 503 && text.includes('"status":"not_ready"')) return null;
  if (status >= 500) return `was answered ${status}, ${text.slice(-MAX_TEXT)}`;
  return null;
}

/** To be pasted into a test of its own: base64 of what was sent. */
function shown({ bytes }: Sent): string {
  const text = bytes.toString('latin1').slice(0, SHOWN_BYTES);
  return `${JSON.stringify(text)} (base64 ${bytes.subarray(0, SHOWN_BYTES).toString('base64')})`;
}
