/** `batchwright serve`: request sets over HTTP, with workers in this process or in others. */

import type { Command } from 'commander';
import { Option } from 'commander';
import type { Config } from '../../config/load.ts';
import { openHouse, openStore } from '../compose.ts';
import { openService } from '../serve.ts';
import type { Finish } from './exit.ts';
import { EXIT } from './exit.ts';
import { requireKey } from './key.ts';
import { noticesTo } from './notices.ts';
import { configOf, terminalOf, wholeOption } from './settings.ts';

interface ServeFlags {
  readonly port?: number;
  readonly host?: string;
  readonly dataDir?: string;
  readonly workers?: 'inline' | 'none';
}

/** Running requests and steps get so long to end. */
const GRACE_MS = 20_000;

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
      const config = configOf(
        { ...(flags.dataDir === undefined ? {} : { dataDir: flags.dataDir }) },
        {
          BATCHWRIGHT_PORT: flags.port,
          BATCHWRIGHT_HOST: flags.host,
          BATCHWRIGHT_WORKERS: flags.workers,
        },
      );
      await serve(config);
      finish(EXIT.ok);
    });
}

async function serve(config: Config): Promise<void> {
  requireKey(config);
  const terminal = terminalOf({});
  const store = openStore(config);
  const house = await openHouse(config, store, noticesTo(terminal));
  const service = await openService(config, store, house);
  const workers = config.BATCHWRIGHT_WORKERS === 'inline' ? await house.start() : null;
  process.stderr.write(`Batchwright listens at ${service.url}\n`);
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
  });
  await service.close(GRACE_MS);
  await workers?.stop(GRACE_MS);
  await house.close();
  await store.close();
}
