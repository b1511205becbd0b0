/**
 * Virtual time: it runs `factor` times as fast as real time, can be paused, and in manual mode
 * moves only when `advance` is called. It also knows who is at work, so that advancing by hand
 * lets everything that falls due happen, in order, before it returns.
 */

interface Sleeper {
  readonly dueMs: number;
  readonly key: string;
  readonly wake: () => void;
  readonly end: () => void;
}

/** Thrown where a task of a closed world wants to go on. */
export class WorldClosed extends Error {
  override readonly name = 'WorldClosed';
}

export interface ClockSettings {
  readonly startAtMs: number;
  readonly factor: number;
  readonly manual: boolean;
}

export class VirtualClock {
  readonly #factor: number;
  readonly #manual: boolean;
  #baseVirtualMs: number;
  #baseRealMs = performance.now();
  #frozen: boolean;
  #sleepers: Sleeper[] = [];
  #timer: NodeJS.Timeout | undefined;
  #working = 0;
  #quietWaiters: (() => void)[] = [];
  #closed = false;

  constructor(settings: ClockSettings) {
    this.#factor = settings.factor;
    this.#manual = settings.manual;
    this.#frozen = settings.manual;
    this.#baseVirtualMs = settings.startAtMs;
  }

  /** Virtual milliseconds since 1970. */
  nowMs(): number {
    if (this.#frozen) return this.#baseVirtualMs;
    return this.#baseVirtualMs + (performance.now() - this.#baseRealMs) * this.#factor;
  }

  /** Virtual seconds since 1970, whole, as the API states times. */
  nowSeconds(): number {
    return Math.floor(this.nowMs() / 1000);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Runs a task that counts as at work except while it sleeps on this clock. */
  async run(task: () => Promise<void>): Promise<void> {
    this.#working++;
    try {
      await task();
    } catch (error) {
      if (!(error instanceof WorldClosed)) throw error;
    } finally {
      this.#stopWorking();
    }
  }

  /** Only within `run`: sleeps until the moment comes or `interrupt(key)` is called. */
  sleepUntil(dueMs: number, key: string): Promise<void> {
    if (this.#closed) return Promise.reject(new WorldClosed());
    if (dueMs <= this.nowMs()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        this.#working++;
        resolve();
      };
      const end = (): void => {
        this.#working++;
        reject(new WorldClosed());
      };
      this.#sleepers.push({ dueMs, key, wake, end });
      this.#stopWorking();
      this.#arm();
    });
  }

  /** Ends every sleep under the key. */
  interrupt(key: string): void {
    const woken = this.#sleepers.filter((sleeper) => sleeper.key === key);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.key !== key);
    for (const sleeper of woken) sleeper.wake();
  }

  /** Moves a manual or paused clock forward; resolves when everything that fell due is done. */
  async advance(ms: number): Promise<void> {
    if (!this.#frozen) throw new Error('advance() needs a manual or a paused clock');
    const targetMs = this.#baseVirtualMs + ms;
    await this.quiet();
    for (let next = this.#earliest(); next !== undefined; next = this.#earliest()) {
      if (next.dueMs > targetMs) break;
      this.#baseVirtualMs = Math.max(this.#baseVirtualMs, next.dueMs);
      this.#sleepers.splice(this.#sleepers.indexOf(next), 1);
      next.wake();
      await this.quiet();
    }
    this.#baseVirtualMs = targetMs;
  }

  pause(): void {
    this.#baseVirtualMs = this.nowMs();
    this.#frozen = true;
    this.#arm();
  }

  resume(): void {
    if (this.#manual || !this.#frozen) return;
    this.#baseRealMs = performance.now();
    this.#frozen = false;
    this.#arm();
  }

  /** Resolves when nobody is at work. */
  quiet(): Promise<void> {
    if (this.#working === 0) return Promise.resolve();
    return new Promise((resolve) => this.#quietWaiters.push(resolve));
  }

  /** Ends every task at its next sleep; resolves when all have stopped. */
  async close(): Promise<void> {
    this.#closed = true;
    const sleepers = this.#sleepers;
    this.#sleepers = [];
    clearTimeout(this.#timer);
    for (const sleeper of sleepers) sleeper.end();
    await this.quiet();
  }

  #stopWorking(): void {
    this.#working--;
    if (this.#working > 0) return;
    const waiters = this.#quietWaiters;
    this.#quietWaiters = [];
    for (const resolve of waiters) resolve();
  }

  #earliest(): Sleeper | undefined {
    let earliest: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (earliest === undefined || sleeper.dueMs < earliest.dueMs) earliest = sleeper;
    }
    return earliest;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const next = this.#earliest();
    if (this.#frozen || next === undefined) return;
    const realMs = Math.max(0, (next.dueMs - this.nowMs()) / this.#factor);
    this.#timer = setTimeout(() => this.#wakeDue(), Math.min(realMs, 0x7fff_ffff));
  }

  #wakeDue(): void {
    const nowMs = this.nowMs();
    const due = this.#sleepers.filter((sleeper) => sleeper.dueMs <= nowMs);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.dueMs > nowMs);
    for (const sleeper of due.toSorted((a, b) => a.dueMs - b.dueMs)) sleeper.wake();
    this.#arm();
  }
}
