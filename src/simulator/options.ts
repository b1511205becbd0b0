/** What a simulated world can be told, and what it assumes where it is told nothing. */

import type { FaultSwitch } from './faults/switches.ts';
import type { Seed } from './random.ts';

export interface SimulatorLimits {
  /** Requests in one batch. */
  readonly maxRequests: number;
  /** Size of one uploaded batch file in bytes. */
  readonly maxBytes: number;
  /** Embedding inputs in one batch. */
  readonly maxInputs: number;
  /** Creates in a virtual hour. */
  readonly createsPerHour: number;
  /** Model → prompt tokens that its live batches may hold; `*` for every other model. */
  readonly enqueuedTokens: Readonly<Record<string, number>>;
  /** Validation errors that a failed batch lists at most. */
  readonly listedErrors: number;
}

/** Virtual seconds; each is varied by up to half, by the seed. */
export interface SimulatorPace {
  readonly validating: number;
  readonly inProgress: number;
  /** Added to inProgress for each request. */
  readonly perRequest: number;
  readonly finalizing: number;
  readonly cancelling: number;
}

export interface SimulatorFlakiness {
  /** Share of requests that always fail with 400. */
  readonly permanentRate: number;
  /** Share of requests that fail with 429 or 500 at first. */
  readonly retryableRate: number;
  /** How often those fail before they succeed. */
  readonly retryableTimes: number;
  /** Share of batches that expire in the middle. */
  readonly expiredRate: number;
}

export interface SimulatorOptions {
  /** 0, the default: any free port. */
  readonly port?: number;
  readonly host?: string;
  readonly seed?: Seed;
  /** Virtual seconds in a real second; 3600 by default. */
  readonly timeFactor?: number;
  /** Manual: time stands still but for `controls.advance`. */
  readonly clock?: 'running' | 'manual';
  /** Where virtual time starts, in milliseconds since 1970; now by default. */
  readonly startAtMs?: number;
  /** Folder for the files' contents; a temporary one, removed on close, by default. */
  readonly dataDir?: string;
  /** Accepted keys; without it every key is fine, and none at all too. */
  readonly apiKeys?: readonly string[];
  /** Models on offer; without it every name is. */
  readonly models?: readonly string[];
  readonly limits?: Partial<SimulatorLimits>;
  readonly pace?: Partial<SimulatorPace>;
  readonly flakiness?: Partial<SimulatorFlakiness>;
  /** False: answers come in input order. */
  readonly shuffle?: boolean;
  readonly faults?: readonly FaultSwitch[];
  /** Told when a batch ends; the secret starts with `whsec_`. */
  readonly webhook?: { readonly url: string; readonly secret: string };
  /** Virtual seconds from create to expiry; 86,400 by default. */
  readonly windowSeconds?: number;
  /** True: files vanish at their expires_at. Off by default, since compressed days are short. */
  readonly expireFiles?: boolean;
}

export interface Settings {
  readonly seed: Seed;
  readonly timeFactor: number;
  readonly manualClock: boolean;
  readonly startAtMs: number;
  readonly apiKeys: readonly string[] | null;
  readonly models: readonly string[] | null;
  readonly limits: SimulatorLimits;
  readonly pace: SimulatorPace;
  readonly flakiness: SimulatorFlakiness;
  readonly shuffle: boolean;
  readonly webhook: { readonly url: string; readonly secret: string } | null;
  readonly windowSeconds: number;
  readonly expireFiles: boolean;
}

/** The options with every gap filled. */
export function settle(options: SimulatorOptions): Settings {
  return {
    seed: options.seed ?? 1,
    timeFactor: options.timeFactor ?? 3600,
    manualClock: options.clock === 'manual',
    startAtMs: options.startAtMs ?? Date.now(),
    apiKeys: options.apiKeys ?? null,
    models: options.models ?? null,
    limits: { ...LIMITS, ...options.limits },
    pace: { ...PACE, ...options.pace },
    flakiness: { ...STEADY, ...options.flakiness },
    shuffle: options.shuffle ?? true,
    webhook: options.webhook ?? null,
    windowSeconds: options.windowSeconds ?? 86_400,
    expireFiles: options.expireFiles ?? false,
  };
}

const LIMITS: SimulatorLimits = {
  maxRequests: 50_000,
  maxBytes: 200_000_000,
  maxInputs: 50_000,
  createsPerHour: 2000,
  enqueuedTokens: {},
  listedErrors: 100,
};

const PACE: SimulatorPace = {
  validating: 20,
  inProgress: 120,
  perRequest: 0.02,
  finalizing: 20,
  cancelling: 60,
};

const STEADY: SimulatorFlakiness = {
  permanentRate: 0,
  retryableRate: 0,
  retryableTimes: 1,
  expiredRate: 0,
};
