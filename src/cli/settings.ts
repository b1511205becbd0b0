/** Options that several commands share, and how they become a Config. */

import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import type { Config, Needs } from '../../config/load.ts';
import { loadConfig, processSource } from '../../config/load.ts';
import type { Store } from '../compose.ts';
import { openStore } from '../compose.ts';
import { Terminal } from './terminal.ts';

export interface CommonFlags {
  readonly dataDir?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** --data-dir, --json, --quiet. */
export function withCommonFlags(command: Command): Command {
  return command
    .option('--data-dir <dir>', 'where jobs are kept (BATCHWRIGHT_DATA_DIR, .batchwright)')
    .option('--json', 'JSON on stdout, for programs')
    .option('-q, --quiet', 'say only what must be seen');
}

/** Where a command with these flags says what it has to say. */
export function terminalOf(flags: CommonFlags & { readonly url?: string }): Terminal {
  const { quiet = false, json = false, dataDir = null, url = null } = flags;
  return new Terminal({ quiet, json, dataDir, url });
}

/** For commands that talk to the provider. */
export const NEEDS_KEY: Needs = { key: true };

/** Flags by the setting that they override. */
export function configOf(
  flags: CommonFlags,
  more: Readonly<Record<string, string | number | undefined>> = {},
  needs?: Needs,
): Config {
  return loadConfig({ BATCHWRIGHT_DATA_DIR: flags.dataDir, ...more }, processSource(), needs);
}

/** Runs the work on the data directory's store and closes it. */
export async function withStore(
  flags: CommonFlags,
  work: (store: Store, config: Config) => Promise<void>,
  needs?: Needs,
): Promise<void> {
  const config = configOf(flags, {}, needs);
  const store = openStore(config);
  try {
    await work(store, config);
  } finally {
    await store.close();
  }
}

/** An option whose value is a whole number in a range. */
export function wholeOption(flags: string, text: string, min: number, max: number): Option {
  return new Option(flags, text).argParser((value: string) => {
    const number = Number(value.replaceAll('_', ''));
    if (!Number.isSafeInteger(number) || number < min || number > max) {
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    }
    return number;
  });
}
