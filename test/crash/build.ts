/** A build of the program that the cases run: it starts sooner than the sources do. */

import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const ROOT = resolve(import.meta.dirname, '../..');

export interface Build {
  /** The built program's entry. */
  readonly program: string;
  remove(): Promise<void>;
}

/** Compiles the sources as they are now, unchecked: whether their types fit is not asked here. */
export async function buildProgram(): Promise<Build> {
  const folder = await mkdtemp(join(tmpdir(), 'bw-crash-build-'));
  const compiler = join(ROOT, 'node_modules/.bin/tsc');
  const config = join(ROOT, 'tsconfig.build.json');
  const more = ['--outDir', folder, '--declaration', 'false', '--noCheck'];
  await promisify(execFile)(compiler, ['-p', config, ...more]);
  await copyFile(join(ROOT, 'package.json'), join(folder, 'package.json'));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return {
    program: join(folder, 'src/cli/main.js'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
