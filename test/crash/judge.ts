/** Whether a journey came to the end that it must: nothing lost, doubled or left over. */

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { unpaidOrTwice } from '../support/paid-once.ts';
import type { Travelled } from './journey.ts';
import type { Plot } from './scenarios.ts';

/** What an undisturbed journey of the same plot came to. */
export interface Outcome {
  /** Null where the plot ends without a result. */
  readonly sha256: string | null;
  readonly succeeded: number;
}

const FINAL = new Set(['completed', 'failed', 'expired', 'cancelled']);

/** The outcome of a journey that nothing disturbed, and what is wrong with it by itself. */
export async function outcomeOf(
  plot: Plot,
  travelled: Travelled,
): Promise<{ outcome: Outcome; problems: string[] }> {
  const output = await outputOf(travelled);
  const lines = output === null ? [] : output.toString().split('\n').slice(0, -1);
  const results = lines.map((line) => JSON.parse(line) as ResultLine);
  const succeeded = results.filter(({ response }) => response?.status_code === 200).length;
  const outcome = { sha256: output === null ? null : sha256(output), succeeded };
  return { outcome, problems: output === null ? [] : outOfOrder(plot, results) };
}

/** Sentences about everything that is not as it should be; empty where all is well. */
export async function problemsOf(travelled: Travelled, expected: Outcome): Promise<string[]> {
  const { simulator, problems } = travelled;
  if (problems.length > 0) return [...problems];
  const output = await outputOf(travelled);
  const found = output === null ? null : sha256(output);
  return [
    ...(found === expected.sha256 ? [] : [`the result is ${found}, not ${expected.sha256}`]),
    ...unpaidOrTwice(simulator, expected.succeeded),
    ...simulator.controls.files().map(({ id }) => `${id} is left at the provider`),
    ...simulator.controls
      .batches()
      .filter(({ status }) => !FINAL.has(status))
      .map(({ id, status }) => `${id} is still ${status}`),
    ...(await manifestProblems(travelled, found)),
    ...(await leftovers(travelled)),
  ];
}

interface ResultLine {
  readonly custom_id: string | null;
  readonly response: { readonly status_code: number } | null;
}

function outOfOrder({ lines }: Plot, results: readonly ResultLine[]): string[] {
  const wanted = lines.map((line) => (JSON.parse(line) as ResultLine).custom_id);
  const isSame =
    wanted.length === results.length &&
    wanted.every((id, index) => id === results[index]?.custom_id);
  return isSame ? [] : [`the result's ids are not the request set's, in its order`];
}

async function manifestProblems({ place }: Travelled, found: string | null): Promise<string[]> {
  if (found === null) return [];
  const text = await readFile(`${place.outputPath}.manifest.json`, 'utf8').catch(() => '{}');
  const manifest = JSON.parse(text) as { result?: { sha256?: string } };
  return manifest.result?.sha256 === found ? [] : ['the manifest does not fit the result'];
}

/** Of a kill before anybody could know of a job, its empty husk may stay: `prune` removes it. */
async function leftovers({ place, deaths }: Travelled): Promise<string[]> {
  const store = join(place.dataDir, 'store');
  const places: [string, string, number][] = [
    ['scratch', join(place.dataDir, 'scratch'), 0],
    ['unfinished writes', join(store, '.tmp'), 0],
    ['open marks', join(store, 'local/open'), 0],
    ['piped sources', join(store, 'local/sources'), deaths],
    ['jobs', join(store, 'local/jobs'), 1 + deaths],
  ];
  const left: string[] = [];
  for (const [words, folder, most] of places) {
    const names = await readdir(folder).catch(() => []);
    if (names.length > most) left.push(`${words} are left: ${names.join(' ')}`);
  }
  const torn = (await readdir(place.folder)).filter((name) => name.endsWith('.tmp'));
  if (torn.length > 0) left.push(`half-done copies are left: ${torn.join(' ')}`);
  return left;
}

async function outputOf({ place }: Travelled): Promise<Buffer | null> {
  return readFile(place.outputPath).catch(() => null);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
