/** Where a command works: at a service, or on the data directory of this machine. */

import type { Command } from 'commander';
import { Refusal } from '../../domain/errors.ts';
import type { CommonFlags } from '../settings.ts';
import { configOf, withCommonFlags } from '../settings.ts';
import { ServiceClient } from './client.ts';

export interface ServiceFlags extends CommonFlags {
  readonly url?: string;
}

/** --url beside the flags that all commands have. */
export function withServiceFlags(command: Command): Command {
  return withCommonFlags(
    command.option('--url <url>', 'the service to work with (BATCHWRIGHT_URL)'),
  );
}

/** The service that the command is to talk to; null: it works on the data directory. */
export function serviceOf(flags: ServiceFlags): ServiceClient | null {
  // Who names a data directory means it, whatever the environment says.
  if (flags.dataDir !== undefined && flags.url === undefined) return null;
  const config = configOf(flags, { BATCHWRIGHT_URL: flags.url });
  const { BATCHWRIGHT_URL: url, BATCHWRIGHT_API_KEY: key } = config;
  return url === undefined ? null : new ServiceClient(url, key ?? null);
}

/** The same for a command that only a service can serve. */
export function requireService(flags: ServiceFlags, instead: string): ServiceClient {
  const service = serviceOf(flags);
  if (service !== null) return service;
  throw new Refusal(
    'configuration',
    'BATCHWRIGHT_URL is not set: this command talks to a service (batchwright serve). ' +
      `Set it, or name the service with --url. ${instead}`,
  );
}
