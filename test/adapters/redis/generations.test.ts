import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { Generations } from '../../../src/adapters/redis/generations.ts';

let folder: string;
let generations: Generations;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bw-gen-'));
  generations = await Generations.of(join(folder, 'data'), join(folder, 'run'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A file does for a socket: names are what matters here. */
async function claim(generation: number): Promise<boolean> {
  const own = generations.privatePath(`own${generation}`);
  await writeFile(own, '');
  const won = await generations.claim(own, generation);
  await rm(own);
  return won;
}

async function names(): Promise<string[]> {
  return (await readdir(generations.folder)).toSorted();
}

function nameOf(generation: number): string {
  return basename(generations.pathOf(generation));
}

test('numbers count up from nothing and the newest is a number, not a text', async () => {
  expect(await generations.newest()).toBe(0);
  for (const generation of [1, 2, 9, 10]) expect(await claim(generation)).toBe(true);
  expect(await generations.newest()).toBe(10);
});

test('of many that claim a generation at once exactly one gets it', async () => {
  const paths = Array.from({ length: 20 }, (_, i) => generations.privatePath(`own${i}`));
  await Promise.all(paths.map((path) => writeFile(path, '')));
  const won = await Promise.all(paths.map((path) => generations.claim(path, 1)));
  expect(won.filter(Boolean)).toHaveLength(1);
});

test('a slow process cannot claim a number that later ones left behind', async () => {
  await claim(4);
  await claim(5);
  await generations.removeBefore(5);
  expect(await claim(4)).toBe(false);
  expect(await names()).toEqual([nameOf(5)]);
});

test("another data directory's names are neither counted nor removed", async () => {
  const other = await Generations.of(join(folder, 'other'), join(folder, 'run'));
  await claim(7);
  expect(await other.newest()).toBe(0);
  await other.removeBefore(100);
  expect(await names()).toEqual([nameOf(7)]);
});

test('one data directory has one name however its path is written', async () => {
  const detour = join(folder, 'run', '..', 'data');
  const same = await Generations.of(detour, join(folder, 'run'));
  expect(same.pathOf(1)).toBe(generations.pathOf(1));
});
