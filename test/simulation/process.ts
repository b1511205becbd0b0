/**
 * One simulated process. Every call of a port goes through it: there it may be overtaken, die
 * (and never go on) or stop for a while and go on as if nothing had happened.
 */

import type { Owner } from '../support/memory/work-queue.ts';
import type { Scheduler } from './scheduler.ts';
import type { Random } from './random.ts';

/** How a call runs. */
export interface CallStyle {
  /** Until the call takes effect, and back, in milliseconds. */
  readonly thereMs: number;
  readonly backMs: number;
}

/** May strike the process at the call of this name. */
export type Striker = (process: SimulatedProcess, label: string) => void;

export class SimulatedProcess implements Owner {
  readonly name: string;
  readonly startedAtMs: number;
  /** Since when it runs without a freeze. */
  runningSinceMs: number;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #strike: Striker;
  #alive = true;
  /** What waits for the thaw; null: not frozen. */
  #held: (() => void)[] | null = null;

  constructor(name: string, scheduler: Scheduler, random: Random, strike: Striker) {
    this.name = name;
    this.startedAtMs = scheduler.nowMs;
    this.runningSinceMs = scheduler.nowMs;
    this.#scheduler = scheduler;
    this.#random = random;
    this.#strike = strike;
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  isRunning(): boolean {
    return this.#alive && this.#held === null;
  }

  /** Ends it for good: nothing that it waits for ever comes. */
  crash(): void {
    this.#alive = false;
    this.#held = null;
  }

  /** Stops it; `thawed` is called when it goes on. */
  freeze(ms: number, thawed: () => void): void {
    if (!this.isRunning()) return;
    this.#held = [];
    this.#scheduler.after(ms, () => {
      const held = this.#held ?? [];
      if (!this.#alive) return;
      this.#held = null;
      this.runningSinceMs = this.#scheduler.nowMs;
      for (const run of held) this.#scheduler.after(0, () => this.#whenRunning(run));
      thawed();
    });
  }

  /** Runs the effect at a later moment, and its answer arrives later still. */
  call<Value>(label: string, style: CallStyle, effect: () => Promise<Value>): Promise<Value> {
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    // Handed to the kernel: the effect comes whatever becomes of the process.
    const isSent = this.#random.chance(0.5);
    const answered = (settle: () => void): void => {
      this.#strike(this, label);
      if (style.backMs > 0) this.#scheduler.after(style.backMs, () => this.#whenRunning(settle));
      else this.#whenRunning(settle);
    };
    const perform = (): void => {
      effect().then(
        (value) => answered(() => resolve(value)),
        (error: unknown) => answered(() => reject(error)),
      );
    };
    if (this.#alive) {
      this.#scheduler.after(style.thereMs, () => {
        this.#strike(this, label);
        if (isSent) perform();
        else this.#whenRunning(perform);
      });
    }
    return promise;
  }

  /** A pause of its own. */
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => this.#whenRunning(resolve);
    signal?.addEventListener('abort', wake, { once: true });
    this.#scheduler.after(ms, wake);
    return promise;
  }

  #whenRunning(run: () => void): void {
    if (!this.#alive) return;
    if (this.#held === null) run();
    else this.#held.push(run);
  }
}
