/** The life of a worker process: it opens the house, answers bells, and leaves when asked to. */

import type { Config } from '../../config/load.ts';
import type { House, Store } from '../compose.ts';
import { openHouse, openStore } from '../compose.ts';
import { firstSignal, GRACE_MS, inTime, say } from './leaving.ts';
import { openLog, openMetrics } from './observation.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { QueueName } from '../ports/work-queue.ts';
import { loggedNotices } from '../service/logged-notices.ts';
import type { WorkerPort } from './worker-port.ts';
import { openWorkerPort } from './worker-port.ts';

/**
 * Answers bells of these queues, and sweeps, until SIGTERM or SIGINT; a second signal ends the
 * process at once. Resolves to whether all that ran came to its end. Rejects with a Refusal where
 * Redis or the port cannot be used. Says on stderr what it serves; its log goes to stdout.
 */
export async function runWorker(config: Config, queues: readonly QueueName[]): Promise<boolean> {
  const ending = firstSignal();
  const store = openStore(config);
  const worker = await Promise.race([openWorker(config, queues, store), ending]);
  // Nothing has begun: a Redis that does not come must not keep a process that is to end.
  if (worker === null) process.exit(0);
  say(introduction(config, queues, worker));
  await ending;
  return inTime(() => worker.leave(), store.clock);
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

function introduction(
  { dataDir }: Config,
  queues: readonly QueueName[],
  { house, port }: Worker,
): string {
  const work = queues.join(', ') || 'sweeping';
  const where = port === null ? '' : ` · http://127.0.0.1:${port.port}/healthz`;
  return `worker for ${work} at ${dataDir} · ${house.redis.describe()}${where}`;
}
