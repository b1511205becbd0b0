/**
 * Starts a worker process for some queues, and runs it until SIGTERM or SIGINT. As a program,
 * `node workers/start.ts`, it serves all of them. Every worker process sweeps.
 */

import { fileURLToPath } from 'node:url';
import { loadConfig, processSource } from '../config/load.ts';
import { openHouse, openStore } from '../src/compose.ts';
import type { Notice } from '../src/ports/notices.ts';
import type { QueueName } from '../src/ports/work-queue.ts';
import { QUEUES } from '../src/ports/work-queue.ts';

/** Answers bells of these queues until the process is asked to end. */
export async function runWorker(queues: readonly QueueName[]): Promise<void> {
  const config = loadConfig({}, processSource());
  const store = openStore(config);
  const house = await openHouse(config, store, { tell: print });
  const workers = await house.start(queues);
  process.stderr.write(`worker for ${queues.join(', ') || 'sweeping'} at ${config.dataDir}\n`);
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
  });
  await workers.stop();
  await house.close();
  await store.close();
}

function print(notice: Notice): void {
  process.stderr.write(`${JSON.stringify(notice)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runWorker(QUEUES);
