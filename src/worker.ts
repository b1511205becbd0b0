/** The life of a worker process: it opens the house, answers bells, and leaves when asked to. */

import type { Config } from '../config/load.ts';
import type { House, Store } from './compose.ts';
import { openHouse, openStore } from './compose.ts';
import { openLog, openMetrics } from './observation.ts';
import type { Metrics } from './ports/metrics.ts';
import type { QueueName } from './ports/work-queue.ts';
import { loggedNotices } from './service/logged-notices.ts';
import { bounded } from './stages/bounded.ts';
import type { WorkerPort } from './worker-port.ts';
import { openWorkerPort } from './worker-port.ts';

/** Running steps get so long to end; closing all the rest has what is left of LEAVE_MS. */
const GRACE_MS = 20_000;

/** Supervisors kill after thirty seconds or later. */
const LEAVE_MS = 28_000;

/** What a shell reports for a process that a second signal ended. */
const FORCED = 130;

/**
 * Answers bells of these queues, and sweeps, until SIGTERM or SIGINT; a second signal ends the
 * process at once. Resolves to whether all that ran came to its end. Rejects with a Refusal where
 * Redis or the port cannot be used. Says on stderr what it serves; its log goes to stdout.
 */
export async function runWorker(config: Config, queues: readonly QueueName[]): Promise<boolean> {
  const ending = listenForEnd();
  const store = openStore(config);
  const worker = await Promise.race([openWorker(config, queues, store), ending]);
  // Nothing has begun: a Redis that does not come must not keep a process that is to end.
  if (worker === null) process.exit(0);
  say(introduction(config, queues, worker));
  await ending;
  say('Leaving: finishing what runs (again to force) …');
  let isOver = false;
  const leaving = worker.leave().then(() => (isOver = true));
  await bounded(leaving, LEAVE_MS, store.clock);
  if (!isOver) say('What still ran was cut off; it will be done again.');
  return isOver;
}

interface Worker {
  readonly house: House;
  readonly port: WorkerPort | null;
  /** Ends what runs and closes all; may take longer than anybody waits. */
  leave(): Promise<void>;
}

async function openWorker(
  config: Config,
  queues: readonly QueueName[],
  store: Store,
): Promise<Worker> {
  const { BATCHWRIGHT_WORKER_PORT: wanted } = config;
  let metrics: Metrics | null = null;
  const port = wanted === undefined ? null : await openWorkerPort(wanted, () => metrics);
  const log = openLog(config);
  const house = await openHouse(config, store, loggedNotices(log));
  metrics = openMetrics(store, house);
  const workers = await house.start(queues);
  const leave = async (): Promise<void> => {
    await workers.stop(GRACE_MS);
    await house.close();
    await store.close();
    await port?.close();
    await log.close();
  };
  return { house, port, leave };
}

/** Resolves at the first signal. */
function listenForEnd(): Promise<null> {
  const { promise, resolve } = Promise.withResolvers<null>();
  let isAsked = false;
  const onSignal = (): void => {
    if (isAsked) process.exit(FORCED);
    isAsked = true;
    resolve(null);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return promise;
}

function introduction(
  { dataDir }: Config,
  queues: readonly QueueName[],
  { house, port }: Worker,
): string {
  const work = queues.join(', ') || 'sweeping';
  const where = port === null ? '' : ` · http://127.0.0.1:${port.port}/healthz`;
  return `worker for ${work} at ${dataDir} · ${house.redis.describe()}${where}`;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
