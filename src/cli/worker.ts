/** `batchwright worker`: a process that answers some or all queues, beside any number of others. */

import type { Command } from 'commander';
import type { Finish } from './exit.ts';
import { EXIT } from './exit.ts';
import { configOf, NEEDS_KEY } from './settings.ts';

interface WorkerFlags {
  readonly dataDir?: string;
  readonly queues?: string;
  readonly port?: string;
}

export function addWorker(program: Command, finish: Finish): void {
  program
    .command('worker')
    .description('work on the jobs of a data directory until SIGTERM, beside other workers')
    .option('--data-dir <dir>', 'where jobs are kept (BATCHWRIGHT_DATA_DIR, .batchwright)')
    .option('--queues <names>', 'plan,dispatch,poll,settle,merge or some (BATCHWRIGHT_QUEUES)')
    .option('--port <port>', 'answers /healthz and /metrics on 127.0.0.1 (BATCHWRIGHT_WORKER_PORT)')
    .action(async (flags: WorkerFlags) => {
      const config = configOf(
        flags,
        { BATCHWRIGHT_QUEUES: flags.queues, BATCHWRIGHT_WORKER_PORT: flags.port },
        NEEDS_KEY,
      );
      // Loaded here only, as what `serve` needs is.
      const { runWorker } = await import('../composition/worker.ts');
      const isWell = await runWorker(config, config.BATCHWRIGHT_QUEUES);
      finish(isWell ? EXIT.ok : EXIT.internal);
    });
}
