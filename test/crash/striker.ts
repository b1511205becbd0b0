/** Counts the points that are reached in this process, writes them down, and strikes. */

import { appendFileSync, existsSync } from 'node:fs';
import { constants } from 'node:os';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

import type { Strike, StrikeOrders } from './strike.ts';

export type Moment = 'before' | 'torn' | 'after';

/** The key under which the threads of a process find its counters. */
const COUNTERS = 'crash-counters';

export class Striker {
  readonly #orders: StrikeOrders;
  readonly #patterns: readonly RegExp[];
  readonly #counters: Int32Array;
  /** The originals: what is loaded later in this process is patched. */
  readonly #append = appendFileSync;
  readonly #exists = existsSync;

  constructor(orders: StrikeOrders) {
    this.#orders = orders;
    this.#patterns = orders.strikes.map(({ point }) => patternOf(point));
    this.#counters = sharedCounters(orders.strikes.length);
  }

  /** The point is reached: dies or throws here where that is ordered. */
  reach(object: string, moment: Moment, verb: string): void {
    const strike = this.due(object, moment, verb);
    if (strike !== null) strike();
  }

  /** As `reach`, but leaves the striking to the caller, who has something to do before. */
  due(object: string, moment: Moment, verb: string): (() => never) | null {
    const point = `${object}: ${moment} ${verb}`;
    const { strikes, recordTo } = this.#orders;
    if (recordTo !== undefined) this.#append(recordTo, `${point}\n`);
    for (const [index, strike] of strikes.entries()) {
      if (this.#patterns[index]?.test(point) !== true) continue;
      const times = Atomics.add(this.#counters, index, 1) + 1;
      if (this.#isStruck(strike, times)) return () => this.#strike(point, strike, verb);
    }
    return null;
  }

  #isStruck({ occurrence, count = 1, untilExists }: Strike, times: number): boolean {
    if (times < occurrence) return false;
    if (count !== null && times >= occurrence + count) return false;
    return untilExists === undefined || !this.#exists(untilExists);
  }

  #strike(point: string, { action }: Strike, verb: string): never {
    const { reportTo } = this.#orders;
    if (reportTo !== undefined) this.#append(reportTo, `${point}\n`);
    if (action === 'kill') die();
    throw Object.assign(new Error(`${action}: struck at ${point}`), {
      code: action,
      errno: -constants.errno[action],
      syscall: verb,
    });
  }
}

/** Nothing of this thread runs any more, however long the signal takes to arrive. */
function die(): never {
  process.kill(process.pid, 'SIGKILL');
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function patternOf(point: string): RegExp {
  const parts = point.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}

/** The main thread makes them; a thread inherits what its maker has. */
function sharedCounters(size: number): Int32Array {
  const inherited = getEnvironmentData(COUNTERS);
  if (inherited instanceof SharedArrayBuffer) return new Int32Array(inherited);
  const buffer = new SharedArrayBuffer(4 * Math.max(1, size));
  setEnvironmentData(COUNTERS, buffer);
  return new Int32Array(buffer);
}
