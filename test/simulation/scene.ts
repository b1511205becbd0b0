/** A quiet world for a named scenario: the test is the only one that causes trouble. */

import { createHash } from 'node:crypto';
import type { ChunkState } from '../../src/domain/chunk.ts';
import { invariant } from '../../src/domain/errors.ts';
import type { JobId } from '../../src/domain/ids.ts';
import type { JobState } from '../../src/domain/job.ts';
import { isPlanned } from '../../src/service/job-views.ts';
import { chunkBell, jobBell } from '../../src/service/bells.ts';
import type { ChunkTask, JobTask } from '../../src/stages/tools.ts';
import { openDoors, openHouse } from './house.ts';
import { submissionOf } from './operator.ts';
import type { Striker } from './process.ts';
import type { Profile, Rates } from './profile.ts';
import { drawProfile } from './profile.ts';
import { Random } from './random.ts';
import { World } from './world.ts';

const HOUR_MS = 3_600_000;

export type Hand = ReturnType<typeof openHouse>;

export class Scene {
  readonly world: World;
  readonly job: JobId;

  private constructor(world: World, job: JobId) {
    this.world = world;
    this.job = job;
  }

  /** A submitted job of these requests, two to a chunk, and nobody who works on it. */
  static async open(
    customIds: readonly string[],
    changes: Partial<Profile> = {},
    seed = 1,
  ): Promise<Scene> {
    const random = new Random(seed);
    const profile = { ...quietProfile(seed, random), ...changes };
    const world = new World(profile, random);
    const lines = customIds.map((id) => JSON.stringify({ custom_id: id, model: 'model' }));
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    world.files.write('/in', bytes);
    const doors = openDoors(world.steady('person'), world);
    const submitted = doors.jobs.submit(submissionOf('/in', bytes, profile, digest(bytes)));
    const { job } = await turn(world, submitted);
    await world.board.markReady();
    return new Scene(world, job);
  }

  /** A worker that does what the test says. */
  worker(name: string, strike?: Striker): Hand {
    return openHouse(this.world.steady(name, strike), this.world);
  }

  /** Lets time pass until the promise settles. */
  turn<Value>(promise: Promise<Value>): Promise<Value> {
    return turn(this.world, promise);
  }

  async wait(ms: number): Promise<void> {
    await this.world.scheduler.run(this.world.scheduler.nowMs + ms, () => false);
  }

  set rates(rates: Partial<Rates>) {
    Object.assign(this.world.profile.rates, rates);
  }

  /** The first chunk as it is in the journal. */
  get chunk(): ChunkState {
    const state = this.world.audit.chunks.get(`${this.job}/c000000`);
    invariant(state !== undefined, 'the chunk has an event');
    return state;
  }

  get jobState(): JobState {
    const state = this.world.audit.jobs.get(this.job);
    invariant(state !== undefined, 'the job has an event');
    return state;
  }

  async jobTask(hand: Hand): Promise<JobTask> {
    const task = await this.turn(hand.views.jobTask(this.job));
    invariant(task !== null, 'the job is there');
    return task;
  }

  /** The first chunk under the worker's hand. */
  chunkTask(hand: Hand): Promise<ChunkTask> {
    return this.turn(this.chunkTaskNow(hand));
  }

  /** The same, where somebody else lets the time pass. */
  async chunkTaskNow(hand: Hand): Promise<ChunkTask> {
    const state = await hand.views.job(this.job);
    invariant(state !== null && isPlanned(state), 'the job is planned');
    const [chunk] = (await hand.views.plan(state)).chunks;
    invariant(chunk !== undefined, 'a chunk is planned');
    return hand.views.chunkTask(state, chunk);
  }

  /** The worker does what the first chunk owes, again and again, until it has the status. */
  async chunkUntil(hand: Hand, status: ChunkState['status']): Promise<void> {
    for (let steps = 0; steps < 500; steps += 1) {
      const { stream, chunk } = await this.chunkTask(hand);
      if (stream.state.status === status) return;
      const due = chunkBell(this.job, chunk.id, stream.state, stream.version);
      invariant(due !== null, `something is owed by a chunk that is ${stream.state.status}`);
      const answer = await this.turn(hand.steps.answer(due.bell));
      if (answer.kind === 'later') await this.wait(answer.delayMs);
    }
    throw new Error(`the chunk did not become ${status}: it is ${this.chunk.status}`);
  }

  /** The worker does what the job itself owes, until it has the status. */
  async jobUntil(hand: Hand, status: JobState['status']): Promise<void> {
    for (let steps = 0; steps < 50; steps += 1) {
      const { state, version } = (await this.jobTask(hand)).stream;
      if (state.status === status) return;
      const due = jobBell(state, version);
      invariant(due !== null, 'the job owes something');
      await this.turn(hand.steps.answer(due.bell));
    }
    throw new Error(`the job did not become ${status}`);
  }

  /** Every chunk hears what the job's owner wishes. */
  async jobUntilSpread(hand: Hand): Promise<void> {
    for (;;) {
      const { state, version } = (await this.jobTask(hand)).stream;
      if (state.spreadRevision === state.intent.revision) return;
      const due = jobBell(state, version);
      invariant(due !== null, 'the job owes something');
      await this.turn(hand.steps.answer(due.bell));
    }
  }

  /** Worker processes do everything else, until the job is over. */
  async finish(): Promise<void> {
    this.world.start();
    await this.finishStarted();
  }

  /** The same, where they work already. */
  async finishStarted(): Promise<void> {
    const isOver = (): boolean => this.jobState.status === 'done' || this.isBroken;
    await this.world.scheduler.run(this.world.scheduler.nowMs + 200 * HOUR_MS, isOver);
  }

  get isBroken(): boolean {
    return this.world.violations.length > 0;
  }

  /** Batches that executed something. */
  get executed(): string[] {
    const batches = [...this.world.model.batches.values()];
    return batches.filter(({ answers }) => answers.size > 0).map(({ id }) => id);
  }

  /** Events of a type so far. */
  count(type: string): number {
    return this.world.audit.counts.get(type) ?? 0;
  }
}

async function turn<Value>(world: World, promise: Promise<Value>): Promise<Value> {
  let settled = false;
  const done = promise.finally(() => {
    settled = true;
  });
  done.catch(() => {});
  await world.scheduler.run(world.scheduler.nowMs + 48 * HOUR_MS, () => settled);
  invariant(settled, 'what is waited for comes within two days');
  return done;
}

function quietProfile(seed: number, random: Random): Profile {
  const drawn = drawProfile(seed, random);
  const none = (names: object) => Object.fromEntries(Object.keys(names).map((name) => [name, 0]));
  return {
    ...drawn,
    workers: 2,
    models: 1,
    chunkRequests: 2,
    maxLiveBatches: 3,
    maxAttempts: 3,
    sweepIntervalMs: 300_000,
    faultsUntilMs: Number.MAX_SAFE_INTEGER,
    adopts: false,
    isSpoilt: false,
    maxErrors: null,
    sorts: true,
    statesTimes: true,
    statesCounts: true,
    rates: none(drawn.rates) as unknown as Rates,
    strikes: none(drawn.strikes) as unknown as Profile['strikes'],
  };
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
