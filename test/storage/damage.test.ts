/** A data directory that loses files: it goes on by itself, or names the file and the way out. */

import { readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it, test } from 'vitest';

import { eventually } from '../support/program.ts';
import { requestLine } from '../support/sets.ts';
import { expectWhole, interrupted, pathIn } from './interrupted.ts';
import type { Interrupted } from './interrupted.ts';

describe('what is derived is made again', () => {
  it('marks a settled chunk again whose mark is gone', async () => {
    const job = await interrupted();
    await rm(join(job.folder, `settled/${job.settled}.json`));
    expect((await job.place.command(job.again)).code).toBe(0);
    await expectWhole(job);
  });

  it('goes on by the same command with a job whose open mark is gone', async () => {
    const job = await interrupted();
    const open = join(job.place.dataDir, 'store/local/open');
    for (const name of await readdir(open)) await rm(join(open, name));
    expect((await job.place.command(job.again)).code).toBe(0);
    await expectWhole(job);
    expect(await readdir(open)).toEqual([]);
  });
});

describe('what is the truth is waited for', () => {
  test.each([
    ['a settled part', 'chunks/SETTLED', 'part-'],
    ['the requests of a chunk that is not sent yet', 'chunks/UNSENT', 'requests.jsonl'],
    ['the line index of a chunk', 'chunks/UNSENT', 'lines.idx'],
    ['the plan', '.', 'plan.json'],
    ['an entry in the middle of a chunk', 'journal/SETTLED', '00000002.json'],
  ])('names %s that is missing, and goes on when it is back', async (_, inside, beginning) => {
    const job = await interrupted();
    const path = await pathIn(folderIn(job, inside), beginning);
    await expectAlertUntilBack(job, path, async () => {
      await rename(path, join(job.place.folder, 'aside'));
      return () => rename(join(job.place.folder, 'aside'), path);
    });
  });

  test.each([
    ['the plan', '.', 'plan.json'],
    ['the last entry of a chunk', 'journal/SETTLED', ''],
  ])('names %s that is cut short, and goes on when it is whole', async (_, inside, beginning) => {
    const job = await interrupted();
    const folder = folderIn(job, inside);
    const path = beginning === '' ? await lastIn(folder) : await pathIn(folder, beginning);
    await expectAlertUntilBack(job, path, async () => {
      const whole = await readFile(path);
      await truncate(path, whole.length >> 1);
      return () => writeFile(path, whole);
    });
  });

  it('lets every other chunk go on beside one whose journal is damaged', async () => {
    const job = await interrupted(20);
    const path = join(job.folder, `journal/${job.settled}/00000001.json`);
    await rename(path, join(job.place.folder, 'aside'));
    const run = job.place.start([...job.again, '--max-live-batches', '8']);
    await eventually(async () => {
      const marked = await readdir(join(job.folder, 'settled'));
      expect(marked).toHaveLength(20);
    });
    await rename(join(job.place.folder, 'aside'), path);
    expect((await run.ended).code).toBe(0);
    await expectWhole(job);
  });

  it('refuses to go on with a job whose own journal is damaged, and runs others', async () => {
    const job = await interrupted();
    const path = await lastIn(join(job.folder, 'journal/job'));
    const whole = await readFile(path);
    await truncate(path, 10);
    const refused = await job.place.command(job.again);
    expect(refused.code).toBe(4);
    expect(refused.stderr).toMatch(/damaged: the journal entry \S*journal\/job\/\d+\.json/);
    const other = join(job.place.folder, 'other.jsonl');
    await writeFile(other, `${requestLine('other')}\n`);
    const run = await job.place.command(['run', other, '-o', join(job.place.folder, 'other.out')]);
    expect(run.code).toBe(0);
    await writeFile(path, whole);
    await job.simulator.controls.quiet();
    expect((await job.place.command(job.again)).code).toBe(0);
  });

  it('ends clearly when the data directory is removed under a run', async () => {
    const job = await interrupted();
    job.simulator.controls.pause();
    const run = job.place.start(job.again);
    await run.says(/attached/);
    await rename(job.place.dataDir, `${job.place.dataDir}.aside`);
    const ended = await run.ended;
    expect(ended.code, ended.stderr).toBe(2);
    expect(ended.stderr).toMatch(/is not in the data directory any more/);
    await rm(job.place.dataDir, { recursive: true, force: true });
    await rename(`${job.place.dataDir}.aside`, job.place.dataDir);
    job.simulator.controls.resume();
    expect((await job.place.command(job.again)).code).toBe(0);
    await expectWhole(job);
  });
});

/** Damages, waits for the alert that names the file, restores, and expects the whole result. */
async function expectAlertUntilBack(
  job: Interrupted,
  path: string,
  damage: () => Promise<() => Promise<void>>,
): Promise<void> {
  const restore = await damage();
  const run = job.place.start(job.again);
  const name = path.split('/').slice(-2).join('/');
  await run.says(new RegExp(`^▲ .*${name.replaceAll('.', String.raw`\.`)}.*backup`, 'm'));
  await restore();
  const ended = await run.ended;
  expect(ended.stderr).not.toMatch(/broken invariant|^△ (?!.*can be used again)/m);
  expect(ended.code).toBe(0);
  await expectWhole(job);
}

function folderIn({ folder, settled, unsent }: Interrupted, inside: string): string {
  return join(folder, inside.replace('SETTLED', settled).replace('UNSENT', unsent));
}

async function lastIn(folder: string): Promise<string> {
  const names = (await readdir(folder)).toSorted();
  return join(folder, names.at(-1) ?? '');
}
