/**
 * Checks the checker: plants each bug of mutations.ts in a copy of the sources and simulates
 * seeds until it is found, and tries the named scenarios. Exits with 1 where one survives, or
 * does not even run: what is broken is not found.
 * `node test/simulation/mutants.ts [--seeds 400] [--only <part of a name>] [--jobs 2]`
 */

import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { countOf } from './counts.ts';
import type { Mutation } from './mutations.ts';
import { MUTATIONS } from './mutations.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COPIED = ['package.json', 'vitest.config.ts', 'config', 'src', 'test'];

const SCENARIOS = 'test/simulation/scenario';

/** Simulated before the scenarios are tried. */
const FIRST_SEEDS = 40;

/** Of a program that does not run: any change can come to that. A matcher's complaint is none. */
const BROKEN = /\b(?:ReferenceError|SyntaxError|TypeError): (?!\.to)/;

interface Verdict {
  readonly name: string;
  readonly kind: 'found' | 'SURVIVES' | 'BROKEN';
  /** What found the bug, or why it is none. */
  readonly what: string;
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
const seeds = countOf('seeds', values.seeds);
const waiting = MUTATIONS.filter(({ name }) => name.includes(values.only));
const verdicts: Verdict[] = [];
for (const mutation of waiting) checkPlace(mutation);
await inCopy(checkHealth);
await Promise.all(Array.from({ length: countOf('jobs', values.jobs) }, () => inCopy(work)));
const found = verdicts.filter(({ kind }) => kind === 'found');
const seconds = (performance.now() - startedMs) / 1000;
console.log(
  `${found.length} of ${verdicts.length} planted bugs were found, ${seconds.toFixed(0)} s`,
);
if (found.length < verdicts.length || found.length === 0) process.exitCode = 1;

async function inCopy(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bw-mutants-'));
  try {
    for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    await act(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Plants one bug after the other in the copy. */
async function work(folder: string): Promise<void> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const verdict = await judge(next, folder);
    verdicts.push(verdict);
    console.log(rowOf(verdict));
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
  const cannotLoad = (await loads(path)) ? null : 'it cannot be loaded';
  const found =
    cannotLoad ??
    (mutation.tests === undefined
      ? await foundBySimulation(folder)
      : await failedTest(folder, [mutation.tests]));
  writeFileSync(path, original);
  const isBroken = cannotLoad !== null || (found !== null && BROKEN.test(found));
  const kind = isBroken ? 'BROKEN' : found === null ? 'SURVIVES' : 'found';
  const what = found?.slice(0, 110) ?? '';
  return { name: mutation.name, kind, what, seconds: (performance.now() - beganMs) / 1000 };
}

function rowOf({ name, kind, what, seconds }: Verdict): string {
  return [kind.padEnd(8), name.padEnd(53), `${seconds.toFixed(0).padStart(4)} s `, what].join(' ');
}

function checkPlace({ name, file, from }: Mutation): void {
  const places = readFileSync(join(ROOT, file), 'utf8').split(from).length - 1;
  if (places !== 1) throw new Error(`${name}: its text stands ${places} times in ${file}`);
}

/** Whatever fails without a bug says nothing about bugs: no seed and no test may. */
async function checkHealth(folder: string): Promise<void> {
  const tests = new Set(waiting.flatMap((one) => one.tests ?? [SCENARIOS]));
  const failed =
    (await failedTest(folder, [...tests])) ??
    (await firstViolation(folder, 1, seeds, availableParallelism()));
  if (failed !== null) throw new Error(`fails without any planted bug: ${failed}`);
}

/** Whether the file can be loaded at all. */
async function loads(path: string): Promise<boolean> {
  const load = `await import(${JSON.stringify(pathToFileURL(path).href)})`;
  return (await ran(ROOT, ['--input-type=module', '--eval', load])).code === 0;
}

/** The first test that fails, with what it says; null: none. */
async function failedTest(folder: string, tests: readonly string[]): Promise<string | null> {
  const program = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const run = await ran(folder, [program, 'run', '--root', folder, ...tests]);
  if (run.code === 0) return null;
  const title = /FAIL +\S+ > (.*)/.exec(run.errors)?.[1];
  if (title === undefined) throw new Error(run.output + run.errors);
  return `“${title}” ${/^\w*Error: .*/m.exec(run.errors)?.[0] ?? ''}`;
}

/** A few seeds find most; the scenarios find what needs a certain moment; many seeds the rest. */
async function foundBySimulation(folder: string): Promise<string | null> {
  const first = Math.min(FIRST_SEEDS, seeds);
  return (
    (await firstViolation(folder, 1, first, 1)) ??
    (await failedTest(folder, [SCENARIOS])) ??
    (seeds > first ? await firstViolation(folder, first + 1, seeds - first, 1) : null)
  );
}

async function firstViolation(
  folder: string,
  start: number,
  count: number,
  workers: number,
): Promise<string | null> {
  const program = join(folder, 'test/simulation/run.ts');
  const range = ['--start', String(start), '--seeds', String(count)];
  const options = [...range, '--workers', String(workers), '--until-failure'];
  const run = await ran(folder, [program, ...options]);
  const line = run.output.split('\n').find((text) => text.startsWith('seed '));
  if (line === undefined && run.code !== 0) throw new Error(run.errors);
  return line ?? null;
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
