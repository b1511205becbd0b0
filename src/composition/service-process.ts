/** The life of a service's process: it opens the doors, perhaps works, and leaves when asked to. */

import type { Config } from '../../config/load.ts';
import { openHouse, openStore } from '../compose.ts';
import { Refusal } from '../domain/errors.ts';
import { firstSignal, GRACE_MS, inTime, say } from './leaving.ts';
import { openLog } from './observation.ts';
import { openService } from './serve.ts';
import { loggedNotices } from '../service/logged-notices.ts';

/**
 * Serves until SIGTERM or SIGINT: then it takes nothing new, ends streams that have no end, lets
 * running requests, uploads and steps finish for a while, and resolves. A second signal ends the
 * process at once. Says on stderr where it listens; its log goes to stdout.
 */
export async function runService(config: Config): Promise<void> {
  const ending = firstSignal();
  const store = openStore(config);
  const opened = await Promise.race([openAll(config, store), ending]);
  // Nothing has begun: a Redis that does not come must not keep a process that is to end.
  if (opened === null) process.exit(0);
  say(`Batchwright listens at ${opened.url} (jobs in ${config.dataDir}; ${opened.url}/docs)`);
  await ending;
  await inTime(opened.leave, store.clock);
}

async function openAll(config: Config, store: ReturnType<typeof openStore>) {
  const log = openLog(config);
  const house = await openHouse(config, store, loggedNotices(log));
  const service = await openService(config, store, house, log).catch(async (error: unknown) => {
    await house.close();
    throw inWords(error, config);
  });
  const workers = config.BATCHWRIGHT_WORKERS === 'inline' ? await house.start() : null;
  const leave = async (): Promise<void> => {
    await Promise.all([
      service.close(GRACE_MS, config.BATCHWRIGHT_DRAIN_MS),
      workers?.stop(GRACE_MS),
    ]);
    await house.close();
    await store.close();
    await log.close();
  };
  return { url: service.url, leave };
}

/** An address that cannot be had is for whoever named it to change. */
function inWords(error: unknown, config: Config): unknown {
  const { code = '', syscall = '' } = error as NodeJS.ErrnoException;
  if (syscall !== 'listen' && code !== 'ENOTFOUND') return error;
  const { BATCHWRIGHT_HOST: host, BATCHWRIGHT_PORT: port } = config;
  const way = 'choose another with --port or --host, or end what listens there.';
  return new Refusal('configuration', `${host}, port ${port} cannot be used (${code}): ${way}`);
}
