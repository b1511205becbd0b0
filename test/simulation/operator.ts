/** The people around the house: what they submit, and what they wish of it afterwards. */

import { createHash } from 'node:crypto';
import type { JobId } from '../../src/domain/ids.ts';
import { isTerminal } from '../../src/domain/job.ts';
import type { Submission } from '../../src/service/jobs.ts';
import { resultName } from '../../src/stages/names.ts';
import type { SimulatedRequest } from '../support/memory/plan.ts';
import { openDoors, IDENTITY } from './house.ts';
import { adopt, makeForeignBatches, takenBy } from './other-tool.ts';
import type { SimulatedProcess } from './process.ts';
import type { Profile } from './profile.ts';
import { NATURES, SPOILT } from './provider/execution.ts';
import type { Random } from './random.ts';
import { checkResult } from './result.ts';
import type { World } from './world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const RESUME_EVERY_MS = 20 * MINUTE_MS;
/** Who submits makes few calls: at each of them more is at stake. */
const SUBMITTERS_WEIGHT = 20;

/** A job as the person at the command line knows it. */
export interface KnownJob {
  readonly requests: readonly SimulatedRequest[];
  readonly submission: Submission;
  /** Over, looked at and removed. */
  pruned: boolean;
  /** Its owner has wished to cancel it. */
  cancelled: boolean;
}

type Doors = ReturnType<typeof openDoors>;

/** A request set of a seed. */
export function drawRequests(job: number, profile: Profile, random: Random): SimulatedRequest[] {
  return Array.from({ length: profile.requests }, (_, at) => {
    const request = {
      custom_id: `j${job}-r${at}-${random.pick(profile.isSpoilt ? SPOILT : NATURES)}`,
      model: `model-${random.int(1, profile.models)}`,
    };
    return random.chance(0.05) ? { ...request, reject: true } : request;
  });
}

/** What people have handed in, and how much of it they still have in hand. */
export interface Desk {
  readonly jobs: Map<JobId, KnownJob>;
  errands: number;
}

/** The person at the command line: submits, resumes what is held, has whims. */
export async function operate(
  world: World,
  sets: readonly SimulatedRequest[][],
  desk: Desk,
): Promise<void> {
  const { random, profile } = world;
  const { jobs } = desk;
  const person = world.steady('person');
  desk.errands += sets.length;
  if (profile.adopts) adoptForeign(world, desk).catch((error: unknown) => world.threw(error));
  for (const [number, requests] of sets.entries()) {
    await person.sleep(random.spread(1, HOUR_MS), undefined);
    const bytes = Buffer.from(requests.map((one) => `${JSON.stringify(one)}\n`).join(''));
    world.files.write(`/in/${number}`, bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const submission = submissionOf(`/in/${number}`, bytes, profile, sha256);
    const { job } = await insist(world, 'submitter', async (submitter) =>
      openDoors(submitter, world).jobs.submit(submission),
    );
    jobs.set(job, { requests, submission, pruned: false, cancelled: false });
    desk.errands -= 1;
    world.trace?.(`${job} is submitted: ${requests.length} requests`);
  }
  if (profile.whimMs > 0) beWhimsical(world, jobs).catch((error: unknown) => world.threw(error));
  await lookAfter(world, person, openDoors(person, world), jobs);
}

/** Batches of another tool are taken over, wherever they are by then. */
async function adoptForeign(world: World, desk: Desk): Promise<void> {
  const { random, profile } = world;
  const person = world.steady('adopter');
  desk.errands += 1;
  await person.sleep(random.spread(1, HOUR_MS), undefined);
  const batches = makeForeignBatches(world);
  await person.sleep(random.spread(1_000, 6 * HOUR_MS), undefined);
  const { source: _source, ...rest } = submissionOf('', Buffer.alloc(0), profile, '');
  const batchIds = batches.map(({ batchId }) => batchId);
  const files = random.pick(['auto', 'keep', 'delete'] as const);
  const job = await insist(world, 'adopter', (adopter) =>
    adopt(world, adopter, { ...rest, batchIds, files }),
  );
  desk.errands -= 1;
  if (job === null) return;
  const source = takenBy(world, job);
  const submission = { ...rest, name: source.location, source };
  const requests = batches.flatMap((batch) => batch.requests);
  desk.jobs.set(job, { requests, submission, pruned: false, cancelled: false });
  world.trace?.(`${job} is made of ${batchIds.join()}`);
}

/** Does it in processes that may die, until one of them has done it. */
function insist<Value>(
  world: World,
  name: string,
  act: (person: SimulatedProcess) => Promise<Value>,
): Promise<Value> {
  const { random, scheduler } = world;
  const { promise, resolve } = Promise.withResolvers<Value>();
  const begin = (): void => {
    const person = world.steady(name, (process, label) => {
      if (!process.isAlive || !random.chance(world.rates().crashAtCall * SUBMITTERS_WEIGHT)) return;
      world.trace?.(`${name} dies at ${label}`);
      process.crash();
      scheduler.after(random.spread(1_000, 5 * MINUTE_MS), begin);
    });
    act(person).then(resolve, (error: unknown) => world.threw(error));
  };
  begin();
  return promise;
}

/** Resumes every job that is held, again and again; cancels one where the seed says so. */
async function lookAfter(
  world: World,
  person: SimulatedProcess,
  doors: Doors,
  jobs: ReadonlyMap<JobId, KnownJob>,
): Promise<void> {
  const { random, profile } = world;
  const cancelAtMs = profile.cancels ? random.next() * profile.faultsUntilMs : Infinity;
  for (let cancelled = false; ;) {
    await person.sleep(RESUME_EVERY_MS, undefined);
    for (const id of jobs.keys()) {
      if (await doors.jobs.resume(id)) world.trace?.(`${id} is resumed`);
    }
    if (cancelled || world.scheduler.nowMs < cancelAtMs) continue;
    cancelled = true;
    const [id, job] = random.pick([...jobs]);
    await cancel(world, doors, id, job);
  }
}

/** A second terminal: the same commands again, other options, an early resume, a clean-up. */
async function beWhimsical(world: World, jobs: ReadonlyMap<JobId, KnownJob>): Promise<void> {
  const { random, profile, scheduler } = world;
  const person = world.steady('second person');
  const doors = openDoors(person, world);
  while (scheduler.nowMs < profile.faultsUntilMs) {
    await person.sleep(-Math.log(1 - random.next()) * profile.whimMs, undefined);
    const [id, job] = random.pick([...jobs]);
    if (job.pruned) continue;
    const whim = random.pick(['again', 'again', 'adjust', 'adjust', 'resume', 'prune', 'cancel']);
    if (whim === 'cancel' && !random.chance(0.1)) continue;
    world.strikes.set(`whim: ${whim}`, (world.strikes.get(`whim: ${whim}`) ?? 0) + 1);
    world.trace?.(`${person.name}: ${whim} ${id}`);
    if (whim === 'again') await submitAgain(world, doors, id, job, job.submission.options);
    if (whim === 'adjust') await submitAgain(world, doors, id, job, drawOptions(random));
    if (whim === 'resume') await doors.jobs.resume(id);
    if (whim === 'cancel') await cancel(world, doors, id, job);
    if (whim === 'prune') await prune(world, doors, id, job);
  }
  // With a brake that stays passed nothing would ever be sent again.
  for (const [id, job] of jobs) {
    const { options } = job.submission;
    if (!job.pruned) await submitAgain(world, doors, id, job, options);
  }
}

function drawOptions(random: Random) {
  const maxErrors = random.chance(0.3) ? { kind: 'count' as const, count: random.int(0, 2) } : null;
  return { maxAttempts: random.int(1, 4), maxErrors };
}

/** The same run is the same job, whatever else the command says; only a refused one is not. */
async function submitAgain(
  world: World,
  doors: Doors,
  id: JobId,
  { submission }: KnownJob,
  options: Submission['options'],
): Promise<void> {
  if (await isRefused(doors, id)) return;
  const { job, attached } = await doors.jobs.submit({ ...submission, options });
  if ((job === id && attached) || (await isRefused(doors, id))) return;
  world.fail(`the command of ${id} was submitted anew as ${job}`);
}

/** It has sent nothing, and makes room for the next try of its command. */
async function isRefused(doors: Doors, id: JobId): Promise<boolean> {
  const state = await doors.views.job(id);
  return state === null || state.status === 'refused';
}

async function cancel(world: World, doors: Doors, id: JobId, job: KnownJob): Promise<void> {
  const state = world.audit.jobs.get(id);
  if (state === undefined || isTerminal(state)) return;
  job.cancelled = true;
  if (await doors.jobs.cancel(id)) world.trace?.(`${id} is cancelled`);
}

/** Takes the result of a job that is done, and removes everything of it. */
async function prune(world: World, doors: Doors, id: JobId, job: KnownJob): Promise<void> {
  const state = await doors.views.job(id);
  if (state?.status !== 'done') return;
  checkResult(world, state, job, world.store.peek(resultName(id)));
  job.pruned = true;
  world.audit.removed.add(id);
  await doors.jobs.remove(state);
}

/** What a command would submit for the file. */
export function submissionOf(
  path: string,
  bytes: Buffer,
  profile: Profile,
  sha256: string,
): Submission {
  return {
    name: path,
    source: {
      kind: 'path',
      location: path,
      encoding: 'identity',
      sizeBytes: bytes.length,
      sha256,
    },
    defaults: { endpoint: null, model: null },
    limits: {
      maxRequests: profile.chunkRequests,
      maxBytes: 1_000_000,
      maxInputs: 1_000,
      maxLineBytes: 1_000,
    },
    onInvalid: 'skip',
    provider: IDENTITY,
    completionWindow: '24h',
    options: {
      maxAttempts: profile.maxAttempts,
      maxErrors: profile.maxErrors === null ? null : { kind: 'count', count: profile.maxErrors },
    },
    fresh: false,
    unconfirmed: false,
  };
}
