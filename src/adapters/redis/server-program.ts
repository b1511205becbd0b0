/** Finds a Redis server program on this machine, or fetches one into the user's cache. */

import { access, constants, readFile } from 'node:fs/promises';

import { Refusal } from '../../domain/errors.ts';
import { installHint } from './install-hint.ts';
import { locateProgram } from './program-path.ts';
import { fetchServerPackage } from './server-package.ts';
import type { ServerProgram } from './server-process.ts';

export interface ServerSearch {
  /** The operator's own choice; null: look for one. */
  readonly serverBin: string | null;
  /** Where a fetched package is kept between runs. */
  readonly cacheDir: string;
  readonly log: (line: string) => void;
}

/**
 * The operator's program, else redis-server or valkey-server on the PATH, else the
 * distribution's package in the cache. Rejects with a Refusal that says what to type.
 */
export async function findServerProgram(search: ServerSearch): Promise<ServerProgram> {
  if (search.serverBin !== null)
    return { path: await checked(search.serverBin), libraryPath: null };
  const installed = await locateProgram(['redis-server', 'valkey-server']);
  if (installed !== null) return { path: installed, libraryPath: null };
  const osRelease = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const way = installHint(process.platform, osRelease);
  if ((await locateProgram(['apt-get'])) === null || (await locateProgram(['dpkg'])) === null) {
    throw new Refusal('configuration', `No Redis server was found on this machine: ${way}.`);
  }
  try {
    return await fetchServerPackage(search.cacheDir, osRelease, search.log);
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim() : String(error);
    throw new Refusal(
      'configuration',
      `No Redis server was found and its package could not be fetched (${reason}): ${way}.`,
    );
  }
}

async function checked(serverBin: string): Promise<string> {
  try {
    await access(serverBin, constants.X_OK);
    return serverBin;
  } catch {
    throw new Refusal(
      'configuration',
      `REDIS_SERVER_BIN names ${serverBin}, which is not a program that can be run: ` +
        'set it to a redis-server or leave it out.',
    );
  }
}
