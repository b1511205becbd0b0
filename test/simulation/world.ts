/** One seed's world: what all processes share, what strikes them, and what must never be. */

import type { Notice } from '../../src/ports/notices.ts';
import { MemoryBlobStore } from '../support/memory/blob-store.ts';
import { MemoryLiveBoard } from '../support/memory/live-board.ts';
import { MemoryFiles } from '../support/memory/local-files.ts';
import type { Owner } from '../support/memory/work-queue.ts';
import { MemoryWorkQueue } from '../support/memory/work-queue.ts';
import { Audit } from './audit.ts';
import { startHouse } from './house.ts';
import { isPlanned, isPlannedMessage, redisAway } from './planned-trouble.ts';
import type { Striker } from './process.ts';
import { SimulatedProcess } from './process.ts';
import type { Profile, Rates } from './profile.ts';
import { ProviderModel } from './provider/model.ts';
import type { PortParts } from './provider/port.ts';
import type { Random } from './random.ts';
import { Scheduler } from './scheduler.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;
const LOOK_EVERY_MS = 10 * MINUTE_MS;
const LONGEST_WITHOUT_REDIS_MS = 8 * 60 * MINUTE_MS;
const WEIGHTS = new Map([
  ['createBatch', 20],
  ['putIfAbsent', 5],
]);

/** `before` and `after`: the write rejects, and has not, or has, taken place. */
export type Interference = (
  process: SimulatedProcess,
  name: string,
  bytes: Uint8Array,
) => 'before' | 'after' | null;

export class World {
  readonly profile: Profile;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly files = new MemoryFiles();
  readonly store: MemoryBlobStore;
  readonly board: MemoryLiveBoard;
  readonly queue: MemoryWorkQueue;
  readonly model: ProviderModel;
  readonly audit: Audit;
  readonly violations: string[] = [];
  readonly notices = new Map<string, number>();
  /** Strikes so far, by kind. */
  readonly strikes = new Map<string, number>();
  /** Sees every line of what happens; null: nobody looks. */
  readonly trace: ((line: string) => void) | null;
  /** A scenario's own trouble with the writing of an object. */
  interfere: Interference = () => null;
  /** What all wall clocks were set by, on top of the skew that each has. */
  wallOffsetMs = 0;
  #awayUntilMs = 0;
  #redisAwayUntilMs = 0;
  readonly #quiet: Rates;
  readonly #workers = new Set<SimulatedProcess>();
  /** Who listens to bells, as long as Redis is there for them. */
  readonly #owners = new WeakMap<SimulatedProcess, Owner>();
  #started = 0;

  constructor(profile: Profile, random: Random, trace: ((line: string) => void) | null = null) {
    this.profile = profile;
    this.random = random;
    this.trace = trace;
    this.#quiet = withoutFaults(profile.rates);
    const nowMs = (): number => this.scheduler.nowMs;
    this.scheduler = new Scheduler(random);
    this.store = new MemoryBlobStore(this.files, nowMs);
    this.board = new MemoryLiveBoard(nowMs);
    this.queue = new MemoryWorkQueue(this.scheduler, (count) => random.int(0, count - 1));
    const fail = (violation: string): void => this.fail(violation);
    const { scheduler } = this;
    this.model = new ProviderModel({ scheduler, random, profile, rates: () => this.rates(), fail });
    const read = {
      objects: (name: string) => this.store.peek(name),
      files: (path: string) => this.files.read(path),
    };
    const workers = (): SimulatedProcess[] => [...this.#workers];
    this.audit = new Audit({ nowMs, model: this.model, read, profile, workers, fail, trace });
  }

  fail(violation: string): void {
    this.trace?.(`VIOLATION ${violation}`);
    this.violations.push(violation);
  }

  /** The rates now: none once the faults are over. */
  rates(): Rates {
    return this.scheduler.nowMs < this.profile.faultsUntilMs ? this.profile.rates : this.#quiet;
  }

  providerParts(): PortParts {
    const { model, files, scheduler, random } = this;
    return {
      model,
      files,
      scheduler,
      random,
      rates: () => this.rates(),
      isAway: () => this.scheduler.nowMs < this.#awayUntilMs,
      creating: (process, attemptId) => this.audit.creating(process, attemptId),
      uploading: (bytes) => this.audit.uploading(bytes),
      deleting: (fileId) => this.audit.deletingRemote(fileId),
      failed: () => this.audit.conduct.callFailed(),
    };
  }

  /** Starts the worker processes, and everything that strikes them. */
  start(): void {
    for (let number = 0; number < this.profile.workers; number += 1) this.startWorker();
    const { crashMs, freezeMs, flushMs, repeatMs, loseMs } = this.profile.strikes;
    const { fleetMs, outageMs, clockMs, redisMs } = this.profile.strikes;
    this.#lookAround();
    this.#strikeEvery(fleetMs, () => this.crashFleet());
    this.#strikeEvery(outageMs, () => this.#outage());
    this.#strikeEvery(clockMs, () => this.#setClocks());
    this.#strikeEvery(redisMs, () => this.#loseRedis());
    this.#strikeEvery(crashMs, () => this.crash(this.#anyWorker(), 'anywhere'));
    this.#strikeEvery(freezeMs, () => this.freeze(this.#anyWorker(), 'anywhere'));
    this.#strikeEvery(flushMs, () => this.flush());
    this.#strikeEvery(repeatMs, () => {
      this.#count('repeated bell');
      this.queue.repeat(this.random.int(0, Math.max(0, this.queue.size - 1)));
    });
    this.#strikeEvery(loseMs, () => {
      this.#count('lost bell');
      this.queue.lose(this.random.int(0, Math.max(0, this.queue.size - 1)));
    });
  }

  /** A process outside of every trouble: a person's command, or a scenario's own. */
  steady(name: string, strike: Striker = () => {}): SimulatedProcess {
    return new SimulatedProcess(name, this.scheduler, this.random, strike);
  }

  startWorker(): SimulatedProcess {
    this.#started += 1;
    const name = `worker ${this.#started}`;
    const strike = (process: SimulatedProcess, label: string): void => this.#strike(process, label);
    const process = new SimulatedProcess(name, this.scheduler, this.random, strike);
    this.#workers.add(process);
    this.trace?.(`${name} starts`);
    startHouse(process, this).catch((error: unknown) => {
      // Redis was away while it started: the process ends, and its supervisor starts it again.
      this.threw(error);
      this.crash(process, 'at its start');
    });
    return process;
  }

  crash(process: SimulatedProcess | null, where: string): void {
    if (process === null || !process.isAlive) return;
    this.#count('crash');
    this.trace?.(`${process.name} dies ${where}`);
    process.crash();
    this.queue.leave(this.ownerOf(process));
    this.#workers.delete(process);
    this.scheduler.after(this.random.spread(1_000, 5 * MINUTE_MS), () => this.startWorker());
  }

  freeze(process: SimulatedProcess | null, where: string): void {
    if (process === null || !process.isRunning()) return;
    this.#count('freeze');
    const ms = this.random.spread(1_000, this.profile.maxFreezeMs);
    this.trace?.(`${process.name} freezes ${where} for ${Math.round(ms / 1000)} s`);
    this.audit.conduct.slept(ms);
    process.freeze(ms, () => {
      this.trace?.(`${process.name} goes on`);
      this.queue.dispatch();
    });
  }

  /** The machine that everything runs on loses its power. */
  crashFleet(): void {
    this.#count('fleet crash');
    for (const process of this.#workers) this.crash(process, 'with all others');
    this.flush();
  }

  /** FLUSHALL. */
  flush(): void {
    this.#count('flush');
    this.trace?.('FLUSHALL');
    this.queue.flush();
    this.board.forget();
    this.audit.conduct.flushed();
  }

  /** The process as a listener to bells: without Redis it hears none, and loses its locks. */
  ownerOf(process: SimulatedProcess): Owner {
    const owner = this.#owners.get(process) ?? {
      isRunning: () => process.isRunning() && !this.#isRedisAway(),
    };
    this.#owners.set(process, owner);
    return owner;
  }

  storeStyle() {
    return { thereMs: this.random.next() * 5, backMs: this.random.chance(0.1) ? 2 : 0 };
  }

  storeFault(process: SimulatedProcess): 'before' | 'after' | null {
    if (!this.#workers.has(process) || !this.random.chance(this.rates().store)) return null;
    this.#count('store fault');
    return this.random.chance(0.5) ? 'before' : 'after';
  }

  /** True: the ring is lost. Throws where Redis is away. */
  disturbBells(): boolean {
    const { bellFails, bellLost } = this.rates();
    if (this.#isRedisAway() || this.random.chance(bellFails)) throw redisAway();
    return this.random.chance(bellLost);
  }

  told(process: SimulatedProcess, notice: Notice): void {
    this.notices.set(notice.code, (this.notices.get(notice.code) ?? 0) + 1);
    this.trace?.(`${process.name} tells ${notice.code} of ${notice.chunk}: ${notice.message}`);
    if (notice.code === 'job_idle' && notice.job !== null) this.audit.liveness.told(notice.job);
    if (notice.code !== 'sweep_failed' || isPlannedMessage(notice.message, this.audit)) return;
    this.fail(notice.message);
  }

  /** A step threw: only for what was planned, everything else is a broken invariant. */
  threw(error: unknown): void {
    const thrown = error instanceof Error ? error : new Error(String(error));
    this.trace?.(`a step threw: ${thrown.message}`);
    if (!isPlanned(thrown, this.audit)) this.fail(thrown.stack ?? thrown.message);
  }

  #outage(): void {
    this.#count('outage');
    const ms = this.random.spread(5 * MINUTE_MS, this.profile.maxOutageMs);
    this.trace?.(`the provider is away for ${Math.round(ms / MINUTE_MS)} min`);
    this.#awayUntilMs = Math.max(this.#awayUntilMs, this.scheduler.nowMs + ms);
  }

  #isRedisAway(): boolean {
    return this.scheduler.nowMs < this.#redisAwayUntilMs;
  }

  #loseRedis(): void {
    this.#count('Redis away');
    const ms = this.random.spread(60 * MINUTE_MS, LONGEST_WITHOUT_REDIS_MS);
    this.trace?.(`Redis is away for ${Math.round(ms / MINUTE_MS)} min`);
    this.#redisAwayUntilMs = Math.max(this.#redisAwayUntilMs, this.scheduler.nowMs + ms);
    this.scheduler.after(ms, () => this.queue.dispatch());
  }

  /** Nothing that stands still makes an event by which it could be noticed. */
  #lookAround(): void {
    this.audit.liveness.check();
    this.scheduler.after(LOOK_EVERY_MS, () => this.#lookAround());
  }

  #setClocks(): void {
    this.#count('clock set');
    this.wallOffsetMs = (this.random.next() - 0.5) * 4 * DAY_MS;
  }

  #anyWorker(): SimulatedProcess | null {
    return this.#workers.size === 0 ? null : this.random.pick([...this.#workers]);
  }

  #strike(process: SimulatedProcess, label: string): void {
    const { crashAtCall, freezeAtCall } = this.rates();
    // Most of all around the call that costs money, and around events.
    const weight = WEIGHTS.get(label) ?? 1;
    if (this.random.chance(crashAtCall * weight)) this.crash(process, `at ${label}`);
    else if (this.random.chance(freezeAtCall * weight)) this.freeze(process, `at ${label}`);
  }

  #strikeEvery(meanMs: number, strike: () => void): void {
    if (meanMs === 0) return;
    this.scheduler.after(-Math.log(1 - this.random.next()) * meanMs, () => {
      if (this.scheduler.nowMs >= this.profile.faultsUntilMs) return;
      strike();
      this.#strikeEvery(meanMs, strike);
    });
  }

  #count(kind: string): void {
    this.strikes.set(kind, (this.strikes.get(kind) ?? 0) + 1);
  }
}

function withoutFaults(rates: Rates): Rates {
  return Object.fromEntries(Object.keys(rates).map((name) => [name, 0])) as unknown as Rates;
}
