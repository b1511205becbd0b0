/**
 * Whether this process can do its work now: Redis, the store, the room on its disk. Asked by
 * `doctor`, and by a service before it says that it is ready.
 */

import type { RedisHandle } from '../adapters/redis/open.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Clock } from '../ports/clock.ts';

export interface Finding {
  /** Stable: `redis`, `store`, `room`. */
  readonly name: string;
  readonly ok: boolean;
  /** What was found, for people; without secrets. */
  readonly detail: string;
  /** What is wrong and the way out; null: nothing is. */
  readonly problem: string | null;
}

export interface Health {
  readonly ok: boolean;
  readonly findings: readonly Finding[];
}

export interface HealthParts {
  /** Null: it could not be opened, which has been told. */
  readonly redis: Pick<RedisHandle, 'describe' | 'inspect'> | null;
  readonly blobs: BlobStore;
  /** Bytes that can still be written where the store lies. */
  readonly freeBytes: () => Promise<number>;
  /** Less room than this is a problem. */
  readonly minFreeBytes: number;
  /** A random name. */
  readonly nonce: () => string;
}

/** For all of it together: what hangs is a finding, not a reason to hang. */
const TIMEOUT_MS = 1_500;

const MEGABYTE = 1_000_000;
const PROBE_BYTES = Buffer.from('Batchwright tries whether it can write here.\n');

/** Resolves within two seconds, whatever hangs. Never rejects. */
export async function checkHealth(parts: HealthParts): Promise<Health> {
  const { redis } = parts;
  const findings = await Promise.all([
    ...(redis === null ? [] : [finding('redis', redis.describe(), () => tryRedis(redis))]),
    finding('store', 'the data directory', () => tryStore(parts)),
    finding('room', 'the disk of the data directory', () => tryRoom(parts)),
  ]);
  return { ok: findings.every(({ ok }) => ok), findings };
}

/** One look for all who ask within so many milliseconds of its end. */
export function recently(
  look: () => Promise<Health>,
  clock: Pick<Clock, 'monotonicMs'>,
  keepMs: number,
): () => Promise<Health> {
  let known: { readonly health: Promise<Health>; untilMs: number } | null = null;
  return () => {
    if (known !== null && clock.monotonicMs() < known.untilMs) return known.health;
    const made = { health: look(), untilMs: Number.POSITIVE_INFINITY };
    known = made;
    const keep = (): void => void (made.untilMs = clock.monotonicMs() + keepMs);
    made.health.then(keep, keep);
    return made.health;
  };
}

interface Tried {
  readonly detail: string;
  readonly problem: string | null;
}

async function finding(
  name: string,
  what: string,
  attempt: () => Promise<Tried>,
): Promise<Finding> {
  const late = Promise.withResolvers<Tried>();
  const problem = `No answer within ${TIMEOUT_MS} ms: see whether it hangs.`;
  const timer = setTimeout(() => late.resolve({ detail: what, problem }), TIMEOUT_MS);
  try {
    const tried = await Promise.race([attempt(), late.promise]);
    return { name, ok: tried.problem === null, ...tried };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { name, ok: false, detail: what, problem: `It cannot be used: ${message}` };
  } finally {
    clearTimeout(timer);
  }
}

async function tryRedis(redis: NonNullable<HealthParts['redis']>): Promise<Tried> {
  const startMs = performance.now();
  const what = redis.describe();
  const report = await redis.inspect(TIMEOUT_MS).catch((error: Error) => error);
  if (report instanceof Error) {
    const way = 'start it, or see why it hangs; jobs go on by themselves then';
    return { detail: what, problem: `It does not answer (${report.message}): ${way}.` };
  }
  const { problems, troubles, warnings, memory } = report;
  const used = memory === null ? [] : [`${(memory.usedBytes / MEGABYTE).toFixed(1)} MB used`];
  const detail = [what, `answers in ${(performance.now() - startMs).toFixed(1)} ms`, ...used];
  const wrong = [...problems, ...troubles];
  return {
    detail: [...detail, ...warnings].join(' · '),
    problem: wrong.length === 0 ? null : wrong.join(' '),
  };
}

/** A write of the store is flushed to the disk before it resolves. */
async function tryStore({ blobs, nonce }: HealthParts): Promise<Tried> {
  const name = `local/health/${nonce()}`;
  try {
    await blobs.put(name, PROBE_BYTES);
    const read = await blobs.get(name);
    const isSame = read !== null && read.equals(PROBE_BYTES);
    const problem = isSame
      ? null
      : 'What was written is read back as something else: see the disk.';
    return { detail: 'writes, flushes and reads', problem };
  } finally {
    // Where it cannot be deleted it could not be written either.
    await blobs.delete(name).catch(() => undefined);
  }
}

async function tryRoom({ freeBytes, minFreeBytes }: HealthParts): Promise<Tried> {
  const free = await freeBytes();
  const least = `${(minFreeBytes / MEGABYTE).toFixed(0)} MB`;
  return {
    detail: `${(free / MEGABYTE).toFixed(0)} MB free`,
    problem: free >= minFreeBytes ? null : `Less than ${least} are free: make room, or prune jobs.`,
  };
}
