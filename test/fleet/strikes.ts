/** What is done to the processes of a fleet, whom it meets and when: drawn from a seed. */

import { Random } from '../simulation/random.ts';

export const MEMBERS = ['service', 'first worker', 'second worker'] as const;
export type MemberName = (typeof MEMBERS)[number];

export interface Strike {
  readonly victim: MemberName;
  /** SIGKILL and a start anew, or SIGSTOP and SIGCONT. */
  readonly kind: 'kill' | 'stop';
  /** From the signal to the start, or to SIGCONT. */
  readonly awayMs: number;
  /** Events at the provider since the last strike, before this one comes. */
  readonly afterEvents: number;
  /** And so long after that event: not everything is seen from there. */
  readonly afterMs: number;
}

export interface StrikeCounts {
  readonly kills: number;
  readonly stops: number;
  /** The length of each stop. */
  readonly stopMs: number;
  /** The most events between two strikes. */
  readonly gapEvents: number;
}

/** The strikes in the order in which they come: everybody's turn comes before anybody's second. */
export function drawStrikes(counts: StrikeCounts, seed: number): Strike[] {
  const { kills, stops, stopMs, gapEvents } = counts;
  const random = new Random(seed);
  const turns = (count: number): MemberName[] => {
    const rounds = Math.ceil(count / MEMBERS.length);
    return Array.from({ length: rounds }, () => random.shuffled(MEMBERS))
      .flat()
      .slice(0, count);
  };
  const timed = (victim: MemberName, kind: Strike['kind'], awayMs: number): Strike => ({
    victim,
    kind,
    awayMs,
    afterEvents: random.int(1, gapEvents),
    afterMs: Math.round(random.spread(1, 300)),
  });
  const drawn = turns(kills).map((victim) =>
    timed(victim, 'kill', Math.round(random.spread(1, 1_000))),
  );
  // Early: a stop is to be over, and its process to work on, before the job is.
  for (const victim of turns(stops)) {
    const at = random.int(0, Math.floor(drawn.length / 2));
    drawn.splice(at, 0, timed(victim, 'stop', stopMs));
  }
  return drawn;
}

/** For people, and to replay. */
export function wordsOf({ victim, kind, awayMs }: Strike): string {
  return `${victim} ${kind === 'kill' ? 'killed, back after' : 'stopped for'} ${awayMs} ms`;
}
