/** Bells in memory, with locks that are lost as BullMQ's are, and every way of losing a bell. */

import type {
  Bell,
  BellAnswer,
  Listener,
  QueueName,
  WorkQueue,
} from '../../../src/ports/work-queue.ts';

/** Timers that a test may turn by itself. */
export interface Timers {
  /** Calls back after the time; the returned function calls it off. */
  after(ms: number, callback: () => void): () => void;
}

export const SYSTEM_TIMERS: Timers = {
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** The process behind a listener. */
export interface Owner {
  /** Runs: takes bells, and renews the locks of those that it answers. */
  isRunning(): boolean;
}

const ALWAYS: Owner = { isRunning: () => true };
const LOCK_MS = 15_000;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 60_000;

interface Entry {
  readonly bell: Bell;
  state: 'waiting' | 'sleeping' | 'active';
  woken: boolean;
  failures: number;
  /** Ends a sleep or the watch over a lock. */
  callOff: () => void;
}

interface Ear {
  readonly queue: QueueName;
  readonly concurrency: number;
  readonly owner: Owner;
  readonly answer: (bell: Bell) => Promise<BellAnswer>;
  readonly idle: Set<() => void>;
  running: number;
  stopped: boolean;
}

export class MemoryWorkQueue implements WorkQueue {
  readonly #timers: Timers;
  readonly #pick: (count: number) => number;
  readonly #entries = new Map<string, Entry>();
  readonly #ears = new Set<Ear>();

  /** `pick` chooses among `count` listeners that could answer: an index. */
  constructor(timers: Timers = SYSTEM_TIMERS, pick: (count: number) => number = () => 0) {
    this.#timers = timers;
    this.#pick = pick;
  }

  async ring(bell: Bell, delayMs = 0): Promise<void> {
    const id = idOf(bell);
    if (this.#entries.has(id)) return;
    const entry: Entry = { bell, state: 'waiting', woken: false, failures: 0, callOff: nothing };
    this.#entries.set(id, entry);
    if (delayMs > 0) this.#sleep(entry, delayMs);
    else this.#dispatch();
  }

  async wake(bell: Bell): Promise<void> {
    const entry = this.#entries.get(idOf(bell));
    if (entry === undefined) return this.ring(bell);
    if (entry.state === 'active') entry.woken = true;
    if (entry.state === 'sleeping') this.#rouse(entry);
  }

  async listen(
    queue: QueueName,
    concurrency: number,
    answer: (bell: Bell) => Promise<BellAnswer>,
    owner: Owner = ALWAYS,
  ): Promise<Listener> {
    const ear = { queue, concurrency, owner, answer, idle: new Set<() => void>() };
    const listening: Ear = { ...ear, running: 0, stopped: false };
    this.#ears.add(listening);
    this.#dispatch();
    return { stop: (graceMs) => this.#stop(listening, graceMs) };
  }

  async close(): Promise<void> {
    for (const ear of this.#ears) ear.stopped = true;
    this.flush();
  }

  /** Loses every bell; answers under way go on. */
  flush(): void {
    for (const entry of this.#entries.values()) entry.callOff();
    this.#entries.clear();
  }

  /** Delivers one waiting, sleeping or active bell once more; `index` counts over all of them. */
  repeat(index: number): void {
    const entry = [...this.#entries.values()].at(index);
    if (entry === undefined) return;
    const ear = this.#choose(entry.bell.queue);
    if (ear !== null) void ear.answer(entry.bell).catch(nothing);
  }

  /** Loses one bell that waits or sleeps. */
  lose(index: number): void {
    const [id, entry] = [...this.#entries].at(index) ?? [];
    if (id === undefined || entry === undefined || entry.state === 'active') return;
    entry.callOff();
    this.#entries.delete(id);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The owner died: its listeners are gone, the locks of what they answered run out. */
  leave(owner: Owner): void {
    for (const ear of this.#ears) if (ear.owner === owner) this.#ears.delete(ear);
  }

  /** Gives waiting bells to listeners that have room; called when an owner runs again. */
  dispatch(): void {
    this.#dispatch();
  }

  #dispatch(): void {
    for (const entry of this.#entries.values()) {
      if (entry.state !== 'waiting') continue;
      const ear = this.#choose(entry.bell.queue);
      if (ear !== null) void this.#give(entry, ear);
    }
  }

  #choose(queue: QueueName): Ear | null {
    const free = [...this.#ears].filter(
      (ear) =>
        ear.queue === queue &&
        !ear.stopped &&
        ear.running < ear.concurrency &&
        ear.owner.isRunning(),
    );
    return free[free.length > 1 ? this.#pick(free.length) : 0] ?? null;
  }

  async #give(entry: Entry, ear: Ear): Promise<void> {
    entry.state = 'active';
    entry.woken = false;
    ear.running += 1;
    const lock = {};
    let locked: object | null = lock;
    const watch = (): void => {
      entry.callOff = this.#timers.after(LOCK_MS, () => {
        if (ear.owner.isRunning()) return watch();
        locked = null;
        this.#rouse(entry);
      });
    };
    watch();
    const answer = await ear.answer(entry.bell).catch(() => null);
    ear.running -= 1;
    for (const idle of ear.idle) idle();
    const isOurs = locked === lock && this.#entries.get(idOf(entry.bell)) === entry;
    if (isOurs) this.#finish(entry, answer);
    else if (answer?.kind === 'later') await this.ring(entry.bell, answer.delayMs);
    this.#dispatch();
  }

  #finish(entry: Entry, answer: BellAnswer | null): void {
    entry.callOff();
    if (answer?.kind === 'done') {
      this.#entries.delete(idOf(entry.bell));
      return;
    }
    entry.failures = answer === null ? entry.failures + 1 : 0;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** entry.failures, LONGEST_PAUSE_MS);
    const delayMs = answer === null ? pauseMs : answer.delayMs;
    if (entry.woken) this.#rouse(entry);
    else this.#sleep(entry, delayMs);
  }

  #sleep(entry: Entry, delayMs: number): void {
    entry.state = 'sleeping';
    entry.callOff = this.#timers.after(delayMs, () => this.#rouse(entry));
  }

  #rouse(entry: Entry): void {
    entry.callOff();
    entry.callOff = nothing;
    // Behind those that wait already.
    const id = idOf(entry.bell);
    if (this.#entries.get(id) !== entry) return;
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    entry.state = 'waiting';
    this.#dispatch();
  }

  async #stop(ear: Ear, graceMs: number): Promise<void> {
    ear.stopped = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = (): void => {
      if (ear.running === 0) resolve();
    };
    ear.idle.add(check);
    const callOff = this.#timers.after(graceMs, resolve);
    check();
    await promise;
    callOff();
    this.#ears.delete(ear);
  }
}

function idOf({ queue, job, chunk, version }: Bell): string {
  return `${queue}-${job}-${chunk ?? 'job'}-${version}`;
}

function nothing(): void {}
