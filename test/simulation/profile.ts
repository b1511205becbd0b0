/**
 * What a seed draws: the request sets, the house, and how much of which trouble. Each trouble is
 * absent in many seeds, so that every mixture comes up, and also its absence.
 */

import { Random } from './random.ts';

export interface Rates {
  /** A store call rejects before or after it did its work. */
  readonly store: number;
  /** A process dies at a call. */
  readonly crashAtCall: number;
  /** A process stops at a call for a while. */
  readonly freezeAtCall: number;
  /** A ring that nobody hears, and one that rejects. */
  readonly bellLost: number;
  readonly bellFails: number;
  /** Answers of the provider by certainty: not done; perhaps done; refused. */
  readonly transient: number;
  readonly unknown: number;
  readonly refused: number;
  /** A create takes effect minutes after its caller has given it up. */
  readonly lateCreate: number;
  /** One POST makes two batches, its answer is lost. */
  readonly twin: number;
  /** Batches that are stuck until they expire, fail by a full token queue, are cancelled there. */
  readonly stuck: number;
  readonly tokens: number;
  readonly cancelledThere: number;
  /** A deletion that is confirmed and not done. */
  readonly deleteIgnored: number;
  /** A batch is listed late. */
  readonly listLag: number;
  /** A create does not see its file; an id or a file is not found for a while. */
  readonly fileUnseen: number;
  readonly notFound: number;
  /** The status goes backwards, or is none that is known. */
  readonly oddStatus: number;
  /** Answer files: late ids, a cut download, lines too many, lines that never come. */
  readonly lateIds: number;
  readonly cutDownload: number;
  readonly oddLines: number;
  readonly gap: number;
}

/** Mean time between strikes against the whole house, in milliseconds; 0: never. */
export interface Strikes {
  readonly crashMs: number;
  readonly freezeMs: number;
  readonly flushMs: number;
  readonly repeatMs: number;
  readonly loseMs: number;
  /** All processes die at once, and Redis with them. */
  readonly fleetMs: number;
  /** The provider cannot be reached for a while. */
  readonly outageMs: number;
  /** The wall clocks of all machines are set. */
  readonly clockMs: number;
  /** Redis cannot be reached for a while. */
  readonly redisMs: number;
}

export interface Profile {
  readonly seed: number;
  readonly workers: number;
  readonly jobs: number;
  readonly requests: number;
  readonly chunkRequests: number;
  readonly models: number;
  readonly maxLiveBatches: number;
  readonly maxAttempts: number;
  readonly sweepIntervalMs: number;
  readonly faultsUntilMs: number;
  /** The provider sorts its list; states times. */
  readonly sorts: boolean;
  readonly statesTimes: boolean;
  readonly statesCounts: boolean;
  readonly cancels: boolean;
  /** Batches of another tool are taken over. */
  readonly adopts: boolean;
  /** Most of the requests are bad. */
  readonly isSpoilt: boolean;
  /** Failed lines that stop the sending; null: as many as there are. */
  readonly maxErrors: number | null;
  /** Mean time between the whims of the person at the command line, in milliseconds; 0: none. */
  readonly whimMs: number;
  /** The longest freeze of a process, and the longest outage of the provider. */
  readonly maxFreezeMs: number;
  readonly maxOutageMs: number;
  /** A batch listed late stays unlisted up to this long. */
  readonly maxLagMs: number;
  readonly rates: Rates;
  readonly strikes: Strikes;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** The profile of a seed. */
export function drawProfile(seed: number, random: Random): Profile {
  const calm = random.chance(0.05);
  const rate = (max: number): number => (calm || random.chance(0.5) ? 0 : random.next() * max);
  const every = (meanMs: number): number => (calm || random.chance(0.4) ? 0 : meanMs);
  const usual = drawUsual(seed, random, rate, every);
  return drawRare(usual, calm);
}

/** What only some seeds have: long stays of everything, people with whims, a larger house. */
function drawRare(usual: Profile, calm: boolean): Profile {
  // Draws of their own: a seed keeps its request set and its usual troubles.
  const random = new Random(usual.seed + 0x2000_0000);
  const rarely = (meanMs: number): number => (calm || random.chance(0.75) ? 0 : meanMs);
  const strikes = {
    ...usual.strikes,
    fleetMs: rarely(6 * HOUR_MS),
    outageMs: rarely(8 * HOUR_MS),
    clockMs: rarely(6 * HOUR_MS),
    redisMs: rarely(3 * HOUR_MS),
  };
  const whimMs = rarely(HOUR_MS);
  const isLarge = !random.chance(0.88);
  const rare = { ...usual, strikes, whimMs, ...drawUses(random) };
  return isLarge ? drawLarge(rare, random) : rare;
}

/** How the house is used, where that is not the usual way. */
function drawUses(random: Random): Pick<Profile, 'adopts' | 'isSpoilt' | 'maxErrors'> {
  const isBraked = random.chance(0.25);
  return {
    adopts: random.chance(0.15),
    isSpoilt: random.chance(0.1),
    maxErrors: isBraked ? random.int(0, 2) : null,
  };
}

function drawLarge(rare: Profile, random: Random): Profile {
  return {
    ...rare,
    workers: random.int(3, 5),
    faultsUntilMs: random.spread(24 * HOUR_MS, 96 * HOUR_MS),
    maxFreezeMs: 5 * HOUR_MS,
    maxOutageMs: 20 * HOUR_MS,
  };
}

function drawUsual(
  seed: number,
  random: Random,
  rate: (max: number) => number,
  every: (meanMs: number) => number,
): Profile {
  return {
    seed,
    workers: random.int(2, 3),
    jobs: random.int(1, 2),
    requests: random.int(1, 16),
    chunkRequests: random.int(2, 8),
    models: random.int(1, 2),
    maxLiveBatches: random.int(1, 3),
    maxAttempts: random.int(1, 3),
    sweepIntervalMs: random.spread(2 * MINUTE_MS, 20 * MINUTE_MS),
    faultsUntilMs: random.spread(2 * HOUR_MS, 30 * HOUR_MS),
    sorts: random.chance(0.7),
    statesTimes: random.chance(0.8),
    statesCounts: random.chance(0.8),
    cancels: random.chance(0.25),
    adopts: false,
    isSpoilt: false,
    maxErrors: null,
    maxLagMs: random.spread(1_000, 20 * MINUTE_MS),
    whimMs: 0,
    maxFreezeMs: 20 * MINUTE_MS,
    maxOutageMs: 2 * HOUR_MS,
    rates: drawRates(rate),
    strikes: {
      crashMs: every(HOUR_MS),
      freezeMs: every(HOUR_MS),
      flushMs: every(3 * HOUR_MS),
      repeatMs: every(20 * MINUTE_MS),
      loseMs: every(HOUR_MS),
      fleetMs: 0,
      outageMs: 0,
      clockMs: 0,
      redisMs: 0,
    },
  };
}

function drawRates(rate: (max: number) => number): Rates {
  return {
    store: rate(0.01),
    crashAtCall: rate(0.004),
    freezeAtCall: rate(0.004),
    bellLost: rate(0.1),
    bellFails: rate(0.05),
    transient: rate(0.1),
    unknown: rate(0.2),
    refused: rate(0.01),
    lateCreate: rate(0.2),
    twin: rate(0.1),
    stuck: rate(0.15),
    tokens: rate(0.2),
    cancelledThere: rate(0.1),
    deleteIgnored: rate(0.3),
    listLag: rate(0.5),
    fileUnseen: rate(0.2),
    notFound: rate(0.05),
    oddStatus: rate(0.1),
    lateIds: rate(0.5),
    cutDownload: rate(0.3),
    oddLines: rate(0.4),
    gap: rate(0.2),
  };
}
