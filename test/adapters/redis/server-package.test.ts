import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { locateProgram } from '../../../src/adapters/redis/program-path.ts';
import { fetchServerPackage } from '../../../src/adapters/redis/server-package.ts';
import { startServer } from '../../../src/adapters/redis/server-process.ts';

const hasApt = (await locateProgram(['apt-get'])) !== null;

test.runIf(hasApt)('two that fetch the package at once both get a server that runs', async () => {
  const cacheDir = await mkdtemp(join(tmpdir(), 'bw-cache-'));
  const osRelease = await readFile('/etc/os-release', 'utf8');
  const lines: string[] = [];
  const fetchOne = () => fetchServerPackage(cacheDir, osRelease, (line) => void lines.push(line));
  try {
    const [first, second] = await Promise.all([fetchOne(), fetchOne()]);
    expect(first).toEqual(second);
    expect(lines).toHaveLength(2);
    expect(await fetchOne()).toEqual(first);
    expect(lines).toHaveLength(2);
    expect(await readdir(join(cacheDir, 'redis-server'))).toHaveLength(1);
    const server = await startServer(first, join(cacheDir, 'socket'), cacheDir);
    await server.stop();
  } finally {
    await rm(cacheDir, { recursive: true, force: true });
  }
});
