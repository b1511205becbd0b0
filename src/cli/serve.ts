/** `batchwright serve`: request sets over HTTP, with workers in this process or in others. */

import type { Command } from 'commander';
import { Option } from 'commander';
import type { Finish } from './exit.ts';
import { EXIT } from './exit.ts';
import { configOf, NEEDS_KEY, wholeOption } from './settings.ts';

interface ServeFlags {
  readonly port?: number;
  readonly host?: string;
  readonly dataDir?: string;
  readonly workers?: 'inline' | 'none';
}

export function addServe(program: Command, finish: Finish): void {
  program
    .command('serve')
    .description('take request sets over HTTP: the own API and the Batch API without its limits')
    .addOption(wholeOption('--port <n>', 'listen there (BATCHWRIGHT_PORT, 8080)', 0, 65_535))
    .option('--host <address>', 'listen there (BATCHWRIGHT_HOST, 127.0.0.1)')
    .option('--data-dir <dir>', 'where jobs are kept (BATCHWRIGHT_DATA_DIR, .batchwright)')
    .addOption(
      new Option(
        '--workers <where>',
        'in this process, or in others (BATCHWRIGHT_WORKERS)',
      ).choices(['inline', 'none']),
    )
    .action(async (flags: ServeFlags) => {
      const { port, host, workers } = flags;
      const config = configOf(
        flags,
        { BATCHWRIGHT_PORT: port, BATCHWRIGHT_HOST: host, BATCHWRIGHT_WORKERS: workers },
        NEEDS_KEY,
      );
      // Loaded here only: every other command would carry its doors in memory.
      const { runService } = await import('../composition/service-process.ts');
      await runService(config);
      finish(EXIT.ok);
    });
}
