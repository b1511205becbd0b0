/** The one place where adapters meet ports. */

import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config/load.ts';
import { createJournal } from './adapters/blob/journal.ts';
import type { FileBlobStore } from './adapters/file/blob-store.ts';
import { createFileBlobStore } from './adapters/file/blob-store.ts';
import { createFileScratch } from './adapters/file/scratch.ts';
import { createOpenAiProvider } from './adapters/openai/provider.ts';
import type { RedisHandle, RedisSettings } from './adapters/redis/open.ts';
import { openRedis } from './adapters/redis/open.ts';
import type { Tell } from './adapters/redis/news.ts';
import { createSystemClock } from './adapters/system/clock.ts';
import { createIds } from './adapters/system/ids.ts';
import { createThreadPool, siblingModule } from './adapters/system/thread-pool.ts';
import type { ChunkId, JobId } from './domain/ids.ts';
import type { ProviderIdentity } from './domain/job.ts';
import type { BatchProvider } from './ports/batch-provider.ts';
import type { Clock } from './ports/clock.ts';
import type { Ids } from './ports/ids.ts';
import type { Journal } from './ports/journal.ts';
import type { Notice, Notices } from './ports/notices.ts';
import type { Scratch } from './ports/scratch.ts';
import type { ThreadPool } from './ports/thread-pool.ts';
import type { Bell, QueueName } from './ports/work-queue.ts';
import { QUEUES } from './ports/work-queue.ts';
import { Alerts, KeptNotices } from './service/alerts.ts';
import { guardedWork } from './composition/guarded-work.ts';
import { policyOf } from './composition/policy.ts';
import { Brake } from './service/brake.ts';
import { CountedProvider } from './service/counted-provider.ts';
import type { LimitRules } from './service/chunk-limits.ts';
import { JobViews } from './service/job-views.ts';
import { Jobs } from './service/jobs.ts';
import { NoticeCounts } from './service/notice-counts.ts';
import { Results } from './service/results.ts';
import type { RunningWorkers } from './service/workers.ts';
import { startWorkers } from './service/workers.ts';
import type { SharedState } from './composition/shared-state.ts';
import { openSharedState } from './composition/shared-state.ts';
import { bounded } from './stages/bounded.ts';
import type { Engines } from './stages/engines.ts';
import { INSTALLATION } from './stages/names.ts';
import { Sightings } from './stages/sightings.ts';
import type { Tools } from './stages/tools.ts';
import { Watch } from './stages/watch.ts';
import { PROGRAM_VERSION } from './version.ts';
import type { Webhooks } from './composition/webhooks.ts';
import { openWebhooks, withCallbacks } from './composition/webhooks.ts';

/** Bells of a queue that one process answers at once. */
const CONCURRENCY: Readonly<Record<QueueName, number>> = {
  plan: 1,
  dispatch: 8,
  poll: 16,
  settle: 2,
  merge: 1,
};

/** Threads for planning, settling and merging: more would only wait for the disk. */
const MAX_THREADS = 2;

/** A thread's garbage is short-lived buffers and strings: a small nursery costs it no time. */
const THREAD_LIMITS = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 512 };

/** How long running steps may go on after a stop. */
const GRACE_MS = 25_000;

/** How long a part of the house may take to close. */
const CLOSE_MS = 3_000;

/** What works without Redis and without a provider: everything about stored jobs. */
export interface Store {
  readonly blobs: FileBlobStore;
  readonly journal: Journal;
  readonly scratch: Scratch;
  readonly engines: ThreadPool<Engines>;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly views: JobViews;
  readonly jobs: Jobs;
  readonly results: Results;
  readonly alerts: Alerts;
  close(): Promise<void>;
}

/** A store with workers, a queue and a provider. */
export interface House extends Omit<SharedState, 'board'> {
  readonly tools: Tools;
  readonly brake: Brake;
  readonly redis: RedisHandle;
  /** What this process has told so far. */
  readonly noticeCounts: NoticeCounts;
  /** What this process has asked of the provider so far. */
  readonly provider: CountedProvider;
  readonly webhooks: Webhooks;
  start(queues?: readonly QueueName[]): Promise<RunningWorkers>;
  close(): Promise<void>;
}

/** Opens the data directory. */
export function openStore(config: Config): Store {
  const blobs = createFileBlobStore(join(config.dataDir, 'store'));
  const scratch = createFileScratch(join(config.dataDir, 'scratch'));
  const clock = createSystemClock();
  const ids = createIds(clock);
  const journal = createJournal(blobs, ids, clock);
  const views = new JobViews(blobs, journal);
  const jobs = new Jobs(blobs, journal, views, ids, clock);
  const results = new Results(blobs, views);
  const alerts = new Alerts(blobs, journal, clock);
  const engines = createThreadPool<Engines>({
    entry: siblingModule(import.meta.url, './tasks'),
    size: Math.min(MAX_THREADS, availableParallelism()),
    resourceLimits: THREAD_LIMITS,
  });
  const close = async (): Promise<void> => engines.close();
  return { blobs, journal, scratch, engines, ids, clock, views, jobs, results, alerts, close };
}

/** Opens Redis and the provider over the store; the store stays the caller's to close. */
export async function openHouse(config: Config, store: Store, told: Notices): Promise<House> {
  const kept = new KeptNotices(told, store.alerts);
  const notices = new NoticeCounts(kept, store.clock);
  const installation = await installationOf(store);
  await store.blobs.removeAbandoned();
  await store.scratch.removeAbandoned();
  const redis = await openRedisOf(config, (line, level) => {
    notices.tell(notice(level, 'redis', line));
  });
  const prefix = `bw-${fingerprint([installation, ...Object.values(providerIdentity(config))])}`;
  const { board, ...shared } = openSharedState(redis, prefix, (error, bell) => {
    if (redis.hear(error)) return;
    notices.tell({ ...notice('warning', 'step_failed', textOf(error)), ...partsOf(bell) });
  });
  const { queue, stepAges, queuesPage } = shared;
  const provider = new CountedProvider(createProvider(config));
  const tools: Tools = {
    ...store,
    provider,
    board,
    notices,
    installation,
    account: accountMark(config, installation),
    policy: policyOf(config),
    programVersion: PROGRAM_VERSION,
    sightings: new Sightings(provider, store.clock, config.profile.listsPerRetrieval),
    watch: new Watch(store.clock),
  };
  const brake = new Brake(store.views, queue, store.blobs);
  const place = { provider: providerIdentity(config), folder: config.dataDir };
  const webhooks = openWebhooks(config, { ...store, ...shared, tools });
  const { callbacks } = webhooks;
  const work = guardedWork({ ...store, ...place, tools, queue, brake, callbacks, redis, stepAges });
  const settings = {
    concurrency: CONCURRENCY,
    sweepIntervalMs: config.BATCHWRIGHT_SWEEP_INTERVAL_MS,
    graceMs: GRACE_MS,
  };
  return {
    ...shared,
    tools,
    brake,
    redis,
    noticeCounts: notices,
    provider,
    webhooks,
    start: async (queues = QUEUES) => {
      const workers = await startWorkers(queues, settings, { tools, queue, ...work });
      return withCallbacks(workers, webhooks.delivery);
    },
    close: async () => {
      // A Redis that goes away in the middle must not keep a finished command.
      for (const part of [queuesPage, queue, board, redis]) {
        await bounded(part.close(), CLOSE_MS, store.clock);
      }
      await bounded(kept.settled(), CLOSE_MS, store.clock);
    },
  };
}

/** The Redis that the configuration names, or a private one. */
export async function openRedisOf(
  config: Config,
  log: Tell,
  more: Partial<RedisSettings> = {},
): Promise<RedisHandle> {
  return openRedis({
    url: config.REDIS_URL ?? null,
    serverBin: config.REDIS_SERVER_BIN ?? null,
    dataDir: config.dataDir,
    runtimeDir: config.runtimeDir,
    cacheDir: config.cacheDir,
    log,
    ...more,
  });
}

/** Which provider a job made under this configuration belongs to. */
export function providerIdentity(config: Config): ProviderIdentity {
  return {
    baseUrl: config.OPENAI_BASE_URL,
    organization: config.OPENAI_ORG_ID ?? null,
    project: config.OPENAI_PROJECT_ID ?? null,
  };
}

/** What the configured provider takes in one file. */
export function limitRules({ profile, BATCHWRIGHT_MAX_LINE_BYTES }: Config): LimitRules {
  const { limits, defaults, name } = profile;
  const maxLineBytes = Math.min(BATCHWRIGHT_MAX_LINE_BYTES, limits.maxLineBytes);
  return { profile: name, defaults, limits: { ...limits, maxLineBytes } };
}

/** The provider as the configuration names it. */
export function createProvider(config: Config): BatchProvider {
  return createOpenAiProvider({
    ...providerIdentity(config),
    // Loopback servers ask for none; the header must have a value all the same.
    apiKey: config.OPENAI_API_KEY ?? 'none',
    userAgent: `batchwright/${PROGRAM_VERSION}`,
    profile: config.profile,
    timeouts: { callMs: 60_000, stallMs: 60_000, answerMs: 300_000 },
  });
}

/** The random name of this data directory, made at its first use. */
async function installationOf(store: Store): Promise<string> {
  await store.blobs.putIfAbsent(INSTALLATION, Buffer.from(store.ids.nonce()));
  const bytes = await store.blobs.get(INSTALLATION);
  return String(bytes);
}

/** 16 bits: they tell one account from another, and nothing about a key. */
function accountMark(config: Config, installation: string): string {
  const key = config.OPENAI_API_KEY ?? null;
  const parts = [installation, key, ...Object.values(providerIdentity(config))];
  return fingerprint(parts).slice(0, 4);
}

function fingerprint(parts: readonly (string | null)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

function notice(level: Notice['level'], code: Notice['code'], message: string) {
  return { level, code, message, job: null, chunk: null };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function partsOf(bell: Bell | null): { job: JobId | null; chunk: ChunkId | null } {
  return { job: bell?.job ?? null, chunk: bell?.chunk ?? null };
}
