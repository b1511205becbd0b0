/**
 * Starts a worker process for some queues, and runs it until SIGTERM or SIGINT. As a program,
 * `node workers/start.ts`, it serves those of BATCHWRIGHT_QUEUES. Every worker process sweeps.
 */

import { fileURLToPath } from 'node:url';
import type { Config } from '../config/load.ts';
import { ConfigError, loadConfig, processSource } from '../config/load.ts';
import { Refusal } from '../src/domain/errors.ts';
import type { QueueName } from '../src/ports/work-queue.ts';
import { runWorker } from '../src/composition/worker.ts';

/** As the commands: a configuration that cannot be used. */
const USAGE = 2;

/** Answers bells of these queues until the process is asked to end, and ends the process. */
export async function workOn(queuesOf: (config: Config) => readonly QueueName[]): Promise<never> {
  try {
    const config = loadConfig({}, processSource(), { key: true });
    process.exit((await runWorker(config, queuesOf(config))) ? 0 : 1);
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof Refusal)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(USAGE);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await workOn((config) => config.BATCHWRIGHT_QUEUES);
}
