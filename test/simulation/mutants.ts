/**
 * Checks the checker: plants each bug of mutations.ts in a copy of the sources and simulates
 * seeds until it is found, and tries the named scenarios. Exits with 1 where one survives.
 * `node test/simulation/mutants.ts [--seeds 400] [--only <part of a name>] [--jobs 2]`
 */

import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Mutation } from './mutations.ts';
import { MUTATIONS } from './mutations.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COPIED = [
  'package.json',
  'vitest.config.ts',
  'config',
  'src',
  'test/simulation',
  'test/support',
  'test/stages',
  'test/domain',
];

const SCENARIOS = 'test/simulation/scenario';

/** Simulated before the scenarios are tried. */
const FIRST_SEEDS = 40;

interface Verdict {
  readonly name: string;
  /** What found the bug; null: it survives. */
  readonly found: string | null;
  readonly seconds: number;
}

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '400' },
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: String(availableParallelism()) },
  },
});

const startedMs = performance.now();
const waiting = MUTATIONS.filter(({ name }) => name.includes(values.only));
const verdicts: Verdict[] = [];
for (const mutation of waiting) checkPlace(mutation);
await Promise.all(Array.from({ length: Number(values.jobs) }, work));
const found = verdicts.filter((verdict) => verdict.found !== null);
const seconds = (performance.now() - startedMs) / 1000;
console.log(
  `${found.length} of ${verdicts.length} planted bugs were found, ${seconds.toFixed(0)} s`,
);
if (found.length < verdicts.length) process.exitCode = 1;

/** Plants one bug after the other in a copy of its own. */
async function work(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bw-mutants-'));
  try {
    for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    await checkHealth(folder);
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const verdict = await judge(next, folder);
      verdicts.push(verdict);
      console.log(rowOf(verdict));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function judge(mutation: Mutation, folder: string): Promise<Verdict> {
  const path = join(folder, mutation.file);
  const original = readFileSync(path, 'utf8');
  const beganMs = performance.now();
  writeFileSync(
    path,
    original.replace(mutation.from, () => mutation.to),
  );
  const found =
    mutation.tests === undefined
      ? await foundBySimulation(folder)
      : await failedTest(folder, mutation.tests);
  writeFileSync(path, original);
  return { name: mutation.name, found, seconds: (performance.now() - beganMs) / 1000 };
}

function rowOf({ name, found, seconds }: Verdict): string {
  const verdict = found === null ? 'SURVIVES' : 'found';
  const columns = [verdict.padEnd(8), name.padEnd(53), `${seconds.toFixed(0).padStart(4)} s `];
  return [...columns, found ?? ''].join(' ');
}

function checkPlace({ name, file, from }: Mutation): void {
  const places = readFileSync(join(ROOT, file), 'utf8').split(from).length - 1;
  if (places !== 1) throw new Error(`${name}: its text stands ${places} times in ${file}`);
}

/** Whatever fails without a bug says nothing about bugs. */
async function checkHealth(folder: string): Promise<void> {
  const failed = await failedTest(folder, SCENARIOS);
  if (failed !== null) throw new Error(`fails without any planted bug: ${failed}`);
}

async function failedTest(folder: string, tests: string): Promise<string | null> {
  const program = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const run = await ran(folder, [program, 'run', '--root', folder, tests]);
  if (run.code === 0) return null;
  const title = /FAIL +\S+ > (.*)/.exec(run.errors)?.[1];
  if (title === undefined) throw new Error(run.output + run.errors);
  return `“${title}”`;
}

/** A few seeds find most; the scenarios find what needs a certain moment; many seeds the rest. */
async function foundBySimulation(folder: string): Promise<string | null> {
  const seeds = Math.max(0, Number(values.seeds) - FIRST_SEEDS);
  return (
    (await firstViolation(folder, 1, FIRST_SEEDS)) ??
    (await failedTest(folder, SCENARIOS)) ??
    (await firstViolation(folder, FIRST_SEEDS + 1, seeds))
  );
}

async function firstViolation(
  folder: string,
  start: number,
  seeds: number,
): Promise<string | null> {
  const program = join(folder, 'test/simulation/run.ts');
  const range = ['--start', String(start), '--seeds', String(seeds)];
  const options = [...range, '--workers', '1', '--until-failure'];
  const run = await ran(folder, [program, ...options]);
  const line = run.output.split('\n').find((text) => text.startsWith('seed '));
  if (line === undefined && run.code !== 0) throw new Error(run.errors);
  return line?.slice(0, 110) ?? null;
}

interface Run {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

function ran(folder: string, options: readonly string[]): Promise<Run> {
  const { promise, resolve } = Promise.withResolvers<Run>();
  const env = { ...process.env, NO_COLOR: '1' };
  const child = execFile(
    process.execPath,
    options,
    { cwd: folder, env, maxBuffer: 64 * 1024 * 1024 },
    (_error, output, errors) => resolve({ code: child.exitCode ?? 1, output, errors }),
  );
  return promise;
}
