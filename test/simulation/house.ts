/** A process's house: the real steps, sweep and workers over ports that the world may disturb. */

import { createJournal } from '../../src/adapters/blob/journal.ts';
import type { FileId, JobId } from '../../src/domain/ids.ts';
import type { BlobStore } from '../../src/ports/blob-store.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Ids } from '../../src/ports/ids.ts';
import type { Scratch } from '../../src/ports/scratch.ts';
import type { Bell, BellAnswer, WorkQueue } from '../../src/ports/work-queue.ts';
import { QUEUES } from '../../src/ports/work-queue.ts';
import { Alerts } from '../../src/service/alerts.ts';
import { Brake } from '../../src/service/brake.ts';
import { Callbacks } from '../../src/service/callbacks.ts';
import { JobViews } from '../../src/service/job-views.ts';
import { Jobs } from '../../src/service/jobs.ts';
import { Steps } from '../../src/service/step.ts';
import { Sweep } from '../../src/service/sweep.ts';
import { startWorkers } from '../../src/service/workers.ts';
import { Sightings } from '../../src/stages/sightings.ts';
import type { StagePolicy, Tools } from '../../src/stages/tools.ts';
import { Watch } from '../../src/stages/watch.ts';
import { createReferenceEngines } from '../support/memory/engines.ts';
import { SETTLE_MS } from './audit.ts';
import { storeTrouble } from './planned-trouble.ts';
import type { SimulatedProcess } from './process.ts';
import { createProviderPort } from './provider/port.ts';
import type { World } from './world.ts';

/** The data directory's own name. */
export const INSTALLATION = 'sim';

export const IDENTITY = { baseUrl: 'http://provider.test/v1', organization: null, project: null };

const CONCURRENCY = { plan: 1, dispatch: 4, poll: 4, settle: 2, merge: 1 };
const QUICK = { thereMs: 0, backMs: 0 };

/** Waits as they are set by default, but for polls: a virtual day has fewer of them. */
function policyOf(world: World): StagePolicy {
  return {
    retry: {
      weatherBaseMs: 1_000,
      weatherMaxMs: 300_000,
      attemptPauseMs: 5_000,
      tokenPauseBaseMs: 60_000,
      tokenPauseMaxMs: 3_600_000,
    },
    create: { deadlineMs: 10_000, timeoutMs: 60_000, settleMs: SETTLE_MS, minLooks: 3 },
    poll: { pinnedMs: null, minMs: 20_000, maxMs: 900_000 },
    maxLiveBatches: world.profile.maxLiveBatches,
    uploadExpiresAfterSeconds: 86_400,
    missingBatchAlertMs: 600_000,
    stuckBatchAlertMs: 3_600_000,
    listsNewestFirst: world.profile.sorts,
  };
}

/** What the process needs to look at jobs and to submit them. */
export function openDoors(process: SimulatedProcess, world: World) {
  const blobs = blobsOf(process, world);
  const clock = clockOf(process, world);
  const ids = idsOf(world);
  const journal = createJournal(blobs, ids, clock);
  const views = new JobViews(blobs, journal);
  const jobs = new Jobs(blobs, journal, views, ids, clock);
  return { blobs, clock, ids, journal, views, jobs };
}

/** The process's tools: what it remembers is its own, what it shares is the world's. */
function openTools(process: SimulatedProcess, world: World) {
  const doors = openDoors(process, world);
  const provider = createProviderPort(process, world.providerParts());
  const call = (label: string, effect: () => Promise<unknown>): Promise<unknown> =>
    process.call(label, QUICK, effect);
  const tools: Tools = {
    provider,
    blobs: doors.blobs,
    journal: doors.journal,
    scratch: gated(scratchOf(world), call),
    engines: gated(createReferenceEngines(world.files), call),
    board: gated(world.board, (method, effect) =>
      call(method, async () => {
        world.disturbBells();
        return effect();
      }),
    ),
    clock: doors.clock,
    ids: doors.ids,
    notices: { tell: (notice) => world.told(process, notice) },
    sightings: new Sightings(provider, doors.clock, 10),
    watch: new Watch(doors.clock),
    policy: policyOf(world),
    installation: INSTALLATION,
    account: 'own',
    programVersion: '0.0.0',
  };
  return { ...doors, tools };
}

/** Everything that a worker process has, before it begins to work. */
export function openHouse(process: SimulatedProcess, world: World) {
  const opened = openTools(process, world);
  const { tools, views, blobs } = opened;
  const queue = queueOf(process, world);
  const brake = new Brake(views, queue, blobs);
  const alerts = new Alerts(blobs, tools.journal, tools.clock);
  const callbacks = new Callbacks(blobs, tools.clock);
  const steps = new Steps(tools, queue, views, brake, alerts, callbacks);
  const sweep = new Sweep(tools, queue, views, alerts, IDENTITY, callbacks);
  return { ...opened, process, queue, callbacks, steps, sweep };
}

/** Starts the workers of a process; resolves when its first sweep is done. */
export async function startHouse(process: SimulatedProcess, world: World): Promise<void> {
  const { tools, queue, steps, sweep } = openHouse(process, world);
  const settings = {
    concurrency: CONCURRENCY,
    sweepIntervalMs: world.profile.sweepIntervalMs,
    graceMs: 25_000,
  };
  await startWorkers(QUEUES, settings, { tools, queue, steps, sweep });
}

function scratchOf(world: World): Scratch {
  return {
    makeFolder: async (label) => `/scratch/${label}-${world.random.text(8)}`,
    removeFolder: async (path) => world.files.removeFolder(path),
    removeAbandoned: async () => 0,
    freeBytes: async () => Number.MAX_SAFE_INTEGER,
  };
}

function blobsOf(process: SimulatedProcess, world: World): BlobStore {
  const { store, audit } = world;
  const audited = new Proxy(store, {
    get(target, key) {
      const own = Reflect.get(target, key, target) as (...all: unknown[]) => Promise<unknown>;
      if (key === 'delete' || key === 'deleteFolder') {
        return async (name: string) => {
          audit.deletingLocal(name);
          return own.call(target, name);
        };
      }
      if (key !== 'putIfAbsent') return own.bind(target);
      return async (name: string, bytes: Uint8Array) => {
        const trouble = world.interfere(process, name, bytes);
        if (trouble === 'before') throw storeTrouble();
        const outcome = await own.call(target, name, bytes);
        if (outcome === 'created') audit.created(process, name, bytes);
        if (trouble === 'after') throw storeTrouble();
        return outcome;
      };
    },
  });
  return gated(audited, (method, effect) =>
    process.call(method, world.storeStyle(), async () => {
      const fault = world.storeFault(process);
      if (fault === 'before') throw storeTrouble();
      const value = await effect();
      if (fault === 'after') throw storeTrouble();
      return value;
    }),
  );
}

function queueOf(process: SimulatedProcess, world: World): WorkQueue {
  const { queue } = world;
  const ring = (label: string, effect: () => Promise<void>) =>
    process.call(label, QUICK, async () => {
      if (!world.disturbBells()) await effect();
    });
  return {
    ring: (bell, delayMs) => ring('ring', () => queue.ring(bell, delayMs)),
    wake: (bell) => ring('wake', () => queue.wake(bell)),
    listen: (name, concurrency, answer) =>
      process.call('listen', QUICK, () =>
        queue.listen(
          name,
          concurrency,
          (bell) => answering(world, bell, answer(bell)),
          world.ownerOf(process),
        ),
      ),
    close: async () => {},
  };
}

/** What a step throws is the world's to judge: a broken invariant is always a finding. */
async function answering(
  world: World,
  { job }: Bell,
  answer: Promise<BellAnswer>,
): Promise<BellAnswer> {
  const left = world.audit.liveness.attend(job);
  try {
    const answered = await answer;
    left(answered);
    return answered;
  } catch (error) {
    world.threw(error);
    throw error;
  }
}

function clockOf(process: SimulatedProcess, world: World): Clock {
  // Wall clocks may be a day off: nothing may depend on them.
  const skewMs = (world.random.next() - 0.5) * 2 * 86_400_000;
  return {
    wallMs: () =>
      Math.round(1_700_000_000_000 + world.scheduler.nowMs + skewMs + world.wallOffsetMs),
    monotonicMs: () => world.scheduler.nowMs - process.startedAtMs,
    sleep: (ms, signal) => process.sleep(ms, signal),
  };
}

function idsOf(world: World): Ids {
  return {
    job: () => `job_${world.random.text(26)}` as JobId,
    file: () => `file-${world.random.text(26)}` as FileId,
    nonce: () => world.random.text(20),
  };
}

/** A port whose every method goes through `call`. */
function gated<Port extends object>(
  port: Port,
  call: (method: string, effect: () => Promise<unknown>) => Promise<unknown>,
): Port {
  return new Proxy(port, {
    get(target, key, receiver) {
      const own = Reflect.get(target, key, target) as unknown;
      if (typeof own !== 'function') return Reflect.get(target, key, receiver) as unknown;
      return (...inputs: unknown[]) =>
        call(String(key), async () =>
          (own as (...all: unknown[]) => unknown).apply(target, inputs),
        );
    },
  });
}
