/**
 * Checks the checker: plants each bug of mutations.ts in a copy of the sources and simulates
 * seeds until it is found, then tries the named scenarios. Exits with 1 where one survives.
 * `node test/simulation/mutants.ts [--seeds 400] [--only <part of a name>]`
 */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Mutation } from './mutations.ts';
import { MUTATIONS } from './mutations.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COPIED = ['package.json', 'src', 'test/simulation', 'test/support/memory'];

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '400' }, only: { type: 'string', default: '' } },
});

const chosen = MUTATIONS.filter(({ name }) => name.includes(values.only));
const folder = mkdtempSync(join(tmpdir(), 'bw-mutants-'));
try {
  for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const survivors = chosen.filter((mutation) => !isCaught(mutation));
  console.log(`${chosen.length - survivors.length} of ${chosen.length} planted bugs were found`);
  if (survivors.length > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}

function isCaught(mutation: Mutation): boolean {
  const path = join(folder, mutation.file);
  const original = readFileSync(path, 'utf8');
  if (original.split(mutation.from).length !== 2) {
    throw new Error(`${mutation.name}: its text does not stand once in ${mutation.file}`);
  }
  writeFileSync(
    path,
    original.replace(mutation.from, () => mutation.to),
  );
  const found = firstViolation() ?? failedScenario();
  writeFileSync(path, original);
  console.log(`${found === null ? 'SURVIVES' : 'found   '} ${mutation.name}: ${found ?? ''}`);
  return found !== null;
}

function failedScenario(): string | null {
  const program = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const options = ['run', '--root', folder, 'test/simulation/scenario'];
  const env = { ...process.env, NO_COLOR: '1' };
  const run = spawnSync(process.execPath, [program, ...options], { encoding: 'utf8', env });
  if (run.status === 0) return null;
  const title = /FAIL +\S+ > (.*)/.exec(run.stderr)?.[1];
  if (title === undefined) throw new Error(run.stdout + run.stderr);
  return `scenario “${title}”`;
}

function firstViolation(): string | null {
  const program = join(folder, 'test/simulation/run.ts');
  const run = spawnSync(process.execPath, [program, '--seeds', values.seeds, '--until-failure'], {
    encoding: 'utf8',
  });
  const line = run.stdout.split('\n').find((text) => text.startsWith('seed '));
  if (line === undefined && run.status !== 0) throw new Error(run.stderr);
  return line?.slice(0, 160) ?? null;
}
