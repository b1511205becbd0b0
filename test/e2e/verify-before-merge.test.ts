/** The merge fails closed: what does not fit what was recorded never becomes a result. */

import { access, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import type { Interrupted } from '../storage/interrupted.ts';
import { expectWhole, interrupted, pathIn } from '../storage/interrupted.ts';

/** A byte of an answer: nothing but the bytes themselves can tell. */
const flip = (whole: Buffer): Buffer => {
  const changed = Buffer.from(whole);
  const at = whole.indexOf('finish_reason');
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
};

const count = (whole: Buffer): Buffer =>
  Buffer.from(whole.toString().replace(/"succeeded":2/, '"succeeded":3'));

const sum = (whole: Buffer): Buffer =>
  Buffer.from(whole.toString().replace(/"crc32":"[0-9a-f]{2}/, '"crc32":"zz'));

/** The number of the first line: the part then answers another line. */
const renumber = (whole: Buffer): Buffer => {
  const changed = Buffer.from(whole);
  changed.writeUInt32LE(changed.readUInt32LE(24), 0);
  return changed;
};

test.each([
  ['a byte of a part', 'chunks/CHUNK', 'part-', flip],
  ['a line number of an index', 'chunks/CHUNK', 'lines.idx', renumber],
])(
  '%s that is wrong is named, and keeps the job from its end until it is right',
  async (...row) => {
    const job = await interrupted();
    const { restore } = await damage(job, ...row);
    const run = job.place.start(job.again);
    await run.says(new RegExp(`^[△▲] .*${job.settled}/(?:part-|lines\\.idx)`, 'm'));
    await expectNoResult(job);
    await restore();
    const ended = await run.ended;
    expect(ended.code, ended.stderr).toBe(0);
    await expectProven(job);
  },
);

test('a part that is damaged for good is made again from its answers by recover', async () => {
  const job = await interrupted();
  await damage(job, '', 'chunks/CHUNK', 'part-', flip);
  const recovered = await job.place.command(['recover']);
  expect(recovered.stdout + recovered.stderr).toContain(`${job.settled}: its part is made again`);
  const ended = await job.place.command(job.again);
  expect(ended.code, ended.stderr).toBe(0);
  await expectProven(job);
});

test.each([
  ['a count', 'settled', 'CHUNK.json', count],
  ['the sum', 'settled', 'CHUNK.json', sum],
])('%s of a settled mark that is wrong is put right from the journal', async (...row) => {
  const job = await interrupted();
  const { path, whole } = await damage(job, ...row);
  const ended = await job.place.command(job.again);
  expect(ended.code, ended.stderr).toBe(0);
  expect(await readFile(path)).toEqual(whole);
  await expectProven(job);
});

/** What is damaged, in the folder and with the beginning of a name that CHUNK stands in. */
type Row = readonly [string, string, string, (whole: Buffer) => Buffer];

async function damage(job: Interrupted, ...[, inside, beginning, change]: Row) {
  const settled = (text: string): string => text.replace('CHUNK', job.settled);
  const path = await pathIn(join(job.folder, settled(inside)), settled(beginning));
  const whole = await readFile(path);
  const changed = change(whole);
  expect(changed.equals(whole)).toBe(false);
  await writeFile(path, changed);
  return { path, whole, restore: () => writeFile(path, whole) };
}

/** Nothing delivered, nothing stored under a result's name, and no word that it is complete. */
async function expectNoResult({ place, folder }: Interrupted): Promise<void> {
  expect((await place.states()).get('job')?.status).toBe('planned');
  await expect(access(place.outputPath)).rejects.toThrow(/ENOENT/);
  expect(await readdir(folder)).not.toContain('result.jsonl');
  expect(await readdir(folder)).not.toContain('manifest.json');
}

async function expectProven(job: Interrupted): Promise<void> {
  await expectWhole(job);
  const verified = await job.place.command(['verify', basename(job.folder)]);
  expect(verified.code, verified.stderr).toBe(0);
}
