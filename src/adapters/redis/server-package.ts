/**
 * Fetches the distribution's own Redis on Debian and Ubuntu without root: apt works in folders of
 * ours, dpkg only unpacks. Nothing of the system is changed.
 */

import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { osReleaseValue } from './install-hint.ts';
import type { ServerProgram } from './server-process.ts';

const run = promisify(execFile);

/** For each of the commands; a slow mirror is waited for, a dead one is not. */
const COMMAND_TIMEOUT_MS = 120_000;

/**
 * The program in the cache, fetched first where it is not there yet. Processes that do this at
 * once each unpack into a folder of their own; the first to rename it into place wins.
 */
export async function fetchServerPackage(
  cacheDir: string,
  osRelease: string,
  log: (line: string) => void,
): Promise<ServerProgram> {
  const root = join(cacheDir, 'redis-server', systemName(osRelease));
  const program = { path: join(root, 'usr/bin/redis-server'), libraryPath: librariesOf(root) };
  if (await exists(program.path)) return program;
  log("fetching the distribution's Redis package into the cache (once)");
  await mkdir(join(cacheDir, 'redis-server'), { recursive: true, mode: 0o700 });
  const work = await mkdtemp(join(cacheDir, 'redis-server', '.fetch-'));
  try {
    await download(work);
    const unpacked = join(work, 'root');
    await unpack(join(work, 'archives'), unpacked);
    await symlink('redis-check-rdb', join(unpacked, 'usr/bin/redis-server'));
    await proveThatItRuns(unpacked);
    await renameUnlessThere(unpacked, root);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return program;
}

/** A cache may be shared by machines or outlive an upgrade: binaries of one are not the other's. */
function systemName(osRelease: string): string {
  const parts = [osReleaseValue(osRelease, 'ID'), osReleaseValue(osRelease, 'VERSION_ID')];
  return [...parts, process.arch].join('-').replaceAll(/[^\w.-]/g, '_');
}

/** Debian's multiarch folder and the plain one. */
function librariesOf(root: string): string {
  const triplet = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch as string];
  const folders = triplet === undefined ? [] : [`usr/lib/${triplet}`, `lib/${triplet}`];
  return [...folders, 'usr/lib', 'lib'].map((folder) => join(root, folder)).join(':');
}

/** Downloads redis-tools and those of its dependencies that the system lacks. */
async function download(work: string): Promise<void> {
  await mkdir(join(work, 'lists', 'partial'), { recursive: true });
  await mkdir(join(work, 'archives', 'partial'), { recursive: true });
  const own = {
    'Dir::State::Lists': join(work, 'lists'),
    'Dir::State::status': '/var/lib/dpkg/status',
    'Dir::State::extended_states': join(work, 'extended_states'),
    'Dir::Cache': work,
    'Dir::Cache::archives': join(work, 'archives'),
    'Dir::Log': work,
    'Debug::NoLocking': 'true',
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '2',
  };
  const options = Object.entries(own).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  await command('apt-get', ['-q', ...options, 'update']);
  const install = ['install', '--download-only', '--reinstall', '--no-install-recommends'];
  await command('apt-get', ['-q', '-y', ...options, ...install, 'redis-tools']);
}

async function unpack(archives: string, into: string): Promise<void> {
  const packages = (await readdir(archives)).filter((name) => name.endsWith('.deb'));
  for (const name of packages) await command('dpkg', ['-x', join(archives, name), into]);
}

/** A missing library shows here and not at the first job. */
async function proveThatItRuns(root: string): Promise<void> {
  const env = { LD_LIBRARY_PATH: librariesOf(root) };
  await run(join(root, 'usr/bin/redis-server'), ['--version'], { env });
}

async function renameUnlessThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}

/** Rejects with the command's own last words. */
async function command(program: string, args: readonly string[]): Promise<void> {
  try {
    await run(program, args, { timeout: COMMAND_TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 });
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    const words = stderr?.trim().split('\n').at(-1) ?? '';
    throw new Error(`${program}: ${words === '' ? (error as Error).message : words}`, {
      cause: error,
    });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
