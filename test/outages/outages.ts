/** Which outages come, in which order and how long: drawn from a seed. */

import { Random } from '../simulation/random.ts';

export type Outage =
  /** SIGKILL, back after `awayMs`: with what its append-only file held, or with nothing. */
  | { readonly kind: 'restart'; readonly back: 'whole' | 'empty'; readonly awayMs: number }
  /** SIGSTOP, SIGCONT. */
  | { readonly kind: 'freeze'; readonly awayMs: number }
  /** maxmemory below what is used: every write is refused. */
  | { readonly kind: 'full'; readonly awayMs: number }
  /** A read-only replica of a server that is not there. */
  | { readonly kind: 'replica'; readonly awayMs: number }
  | { readonly kind: 'flush' }
  /** A failover with lost writes: killed, and back as it was `lostMs` before. */
  | { readonly kind: 'rollback'; readonly lostMs: number; readonly awayMs: number }
  /** For a while it drops keys, the oldest first, instead of refusing writes. */
  | { readonly kind: 'evict'; readonly awayMs: number }
  /** SIGKILL to a private server, or to a program that works with it. */
  | { readonly kind: 'embedded'; readonly victim: 'server' | 'owner' | 'guest' };

/** Of an operator's server. */
export type ServerOutage = Exclude<Outage, { kind: 'embedded' }>;

export interface OutageCounts {
  readonly restarts: number;
  readonly freezes: number;
  readonly flushes: number;
  readonly fulls: number;
  readonly replicas: number;
  readonly rollbacks: number;
  readonly evictions: number;
}

/** The outages in the order in which they come. */
export function drawOutages(counts: OutageCounts, seed: number): ServerOutage[] {
  const random = new Random(seed);
  const restart = (): ServerOutage => ({
    kind: 'restart',
    back: random.chance(0.5) ? 'whole' : 'empty',
    awayMs: Math.round(random.spread(10, 2_000)),
  });
  const awhile = (): number => Math.round(random.spread(100, 3_000));
  const all = [
    ...Array.from({ length: counts.restarts }, restart),
    ...Array.from({ length: counts.freezes }, () => ({
      kind: 'freeze' as const,
      awayMs: awhile(),
    })),
    ...Array.from({ length: counts.fulls }, () => ({ kind: 'full' as const, awayMs: awhile() })),
    ...Array.from({ length: counts.replicas }, () => ({
      kind: 'replica' as const,
      awayMs: awhile(),
    })),
    ...Array.from({ length: counts.flushes }, () => ({ kind: 'flush' as const })),
    ...Array.from({ length: counts.rollbacks }, () => ({
      kind: 'rollback' as const,
      lostMs: awhile(),
      awayMs: Math.round(random.spread(10, 2_000)),
    })),
    ...Array.from({ length: counts.evictions }, () => ({
      kind: 'evict' as const,
      awayMs: awhile(),
    })),
  ];
  return random.shuffled(all);
}

/** Long absences: 2 s, 20 s and the longest, each with a server that comes back empty. */
export function longOutages(longestMs: number): ServerOutage[] {
  return [2_000, 20_000, longestMs].map((awayMs) => ({ kind: 'restart', back: 'empty', awayMs }));
}

/** For the summary, and to tell which outage a figure belongs to. */
export function wordsOf(outage: Outage): string {
  if (outage.kind === 'flush') return 'flushed';
  if (outage.kind === 'freeze') return `frozen for ${outage.awayMs} ms`;
  if (outage.kind === 'full') return `out of memory for ${outage.awayMs} ms`;
  if (outage.kind === 'replica') return `read-only for ${outage.awayMs} ms`;
  if (outage.kind === 'evict') return `dropping keys for ${outage.awayMs} ms`;
  if (outage.kind === 'rollback') {
    return `killed, back after ${outage.awayMs} ms without its last ${outage.lostMs} ms`;
  }
  if (outage.kind === 'embedded') return `the private server’s ${outage.victim} killed`;
  return `killed, back ${outage.back} after ${outage.awayMs} ms`;
}
