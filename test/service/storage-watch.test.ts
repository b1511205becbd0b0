import { describe, expect, it } from 'vitest';

import { StoreDamage } from '../../src/domain/errors.ts';
import { chunkIdOf } from '../../src/domain/ids.ts';
import { JobViews } from '../../src/service/job-views.ts';
import { StorageWatch } from '../../src/service/storage-watch.ts';
import type { Notice } from '../../src/ports/notices.ts';
import type { Bell, BellAnswer } from '../../src/ports/work-queue.ts';
import { createJournal } from '../../src/adapters/blob/journal.ts';
import { createFileBlobStore } from '../../src/adapters/file/blob-store.ts';
import { createFileScratch } from '../../src/adapters/file/scratch.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createIds } from '../../src/adapters/system/ids.ts';
import { Watch } from '../../src/stages/watch.ts';
import type { BlobStore } from '../../src/ports/blob-store.ts';
import { JOB } from '../domain/support/samples.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const DONE: BellAnswer = { kind: 'done' };
const MINUTE_MS = 60_000;

describe('a disk in trouble', () => {
  it('is told of once, however many bells it stops and however often', async () => {
    const { watch, told } = await opened();
    for (const chunk of [0, 1, 2, 0, 1, 2]) {
      const answer = await watch.answer(bellOf(chunk), failing('ENOSPC'));
      expect(answer.kind).toBe('later');
    }
    expect(told.map(({ level, code }) => `${level} ${code}`)).toEqual(['alert disk_full']);
    expect(told[0]?.message).toMatch(/^\/the\/place is full: \d+\.\d MB are free.*by itself\.$/);
  });

  it('counts as work on the job until the bell comes again', async () => {
    const { watch, attendance } = await opened();
    await watch.answer(bellOf(0), failing('ENOSPC'));
    expect(attendance.attended(JOB)).toEqual({
      answers: 1,
      isRunning: false,
      quietMs: 250,
      promiseMs: 250,
    });
  });

  it('is told of again after a quarter of an hour', async () => {
    const { watch, told, advance } = await opened();
    await watch.answer(bellOf(0), failing('EIO'));
    for (let minute = 0; minute < 16; minute += 1) {
      advance(MINUTE_MS);
      await watch.answer(bellOf(0), failing('EIO'));
    }
    expect(told.map(({ code }) => code)).toEqual(['disk_failing', 'disk_failing']);
  });

  it('lets no step begin while a small write fails, and says when it goes on', async () => {
    const { watch, told, disk } = await opened();
    await watch.answer(bellOf(0), failing('ENOSPC'));
    let begun = 0;
    const work = async (): Promise<BellAnswer> => {
      begun += 1;
      return DONE;
    };
    disk.isFull = true;
    expect((await watch.answer(bellOf(0), work)).kind).toBe('later');
    expect((await watch.answer(bellOf(1), work)).kind).toBe('later');
    expect(begun).toBe(0);
    disk.isFull = false;
    expect(await watch.answer(bellOf(0), work)).toEqual(DONE);
    expect(await watch.answer(bellOf(1), work)).toEqual(DONE);
    expect(begun).toBe(2);
    expect(told.map(({ code }) => code)).toEqual(['disk_full', 'storage_recovered']);
  });

  it('pauses longer and longer, up to 20 seconds', async () => {
    const { watch } = await opened();
    const pauses: number[] = [];
    for (let times = 0; times < 12; times += 1) {
      const answer = await watch.answer(bellOf(0), failing('EROFS'));
      if (answer.kind === 'later') pauses.push(answer.delayMs);
    }
    expect(pauses.slice(0, 3)).toEqual([250, 500, 1_000]);
    expect(pauses.at(-1)).toBe(20_000);
  });

  it('is told of anew after it was over', async () => {
    const { watch, told } = await opened();
    await watch.answer(bellOf(0), failing('ENOSPC'));
    await watch.answer(bellOf(0), async () => DONE);
    await watch.answer(bellOf(0), failing('ENOSPC'));
    expect(told.map(({ code }) => code)).toEqual(['disk_full', 'storage_recovered', 'disk_full']);
  });
});

describe('a damaged store', () => {
  it('is told of once for each thing, and keeps no other step from its work', async () => {
    const { watch, told, disk } = await opened();
    const damaged = (what: string) => async (): Promise<never> => {
      throw new StoreDamage(`${what} is missing`);
    };
    await watch.answer(bellOf(0), damaged('one'));
    await watch.answer(bellOf(0), damaged('one'));
    await watch.answer(bellOf(1), damaged('two'));
    disk.isFull = true;
    expect(await watch.answer(bellOf(2), async () => DONE)).toEqual(DONE);
    expect(told.map(({ code, chunk }) => `${code} ${chunk}`)).toEqual([
      'store_damaged c000000',
      'store_damaged c000001',
    ]);
    expect(told[1]?.message).toMatch(
      /below \/the\/place is missing or damaged: two is missing\. See what/,
    );
  });
});

it('leaves other errors to who answers bells', async () => {
  const { watch, told } = await opened();
  const broken = async (): Promise<never> => {
    throw Object.assign(new Error('connect ENOENT'), { code: 'ENOENT', syscall: 'connect' });
  };
  await expect(watch.answer(bellOf(0), broken)).rejects.toThrow('connect ENOENT');
  await expect(watch.sweep(broken)).rejects.toThrow('connect ENOENT');
  expect(told).toEqual([]);
});

it('tells of trouble that a sweep meets, without failing it', async () => {
  const { watch, told } = await opened();
  await watch.sweep(failing('EACCES'));
  await watch.sweep(async () => undefined);
  expect(told.map(({ code }) => code)).toEqual(['disk_forbidden', 'storage_recovered']);
});

async function opened() {
  const folder = await temporaryFolder();
  const real = createFileBlobStore(folder);
  const disk = { isFull: false };
  const blobs: BlobStore = Object.assign(Object.create(real) as BlobStore, {
    put: async (name: string, bytes: Uint8Array) => {
      if (disk.isFull) throw systemError('ENOSPC');
      await real.put(name, bytes);
    },
    delete: (name: string) => real.delete(name),
  });
  let nowMs = 0;
  const system = createSystemClock();
  const clock = { ...system, monotonicMs: () => nowMs };
  const told: Notice[] = [];
  const attendance = new Watch(clock);
  const watch = new StorageWatch(
    {
      blobs,
      scratch: createFileScratch(folder),
      clock,
      notices: { tell: (notice) => void told.push(notice) },
      watch: attendance,
    },
    new JobViews(real, createJournal(real, createIds(system), system)),
    '/the/place',
  );
  return { watch, told, disk, attendance, advance: (ms: number) => void (nowMs += ms) };
}

function bellOf(chunk: number): Bell {
  return { queue: 'dispatch', job: JOB, chunk: chunkIdOf(chunk), version: 1 };
}

function failing(code: string): () => Promise<never> {
  return async () => {
    throw systemError(code);
  };
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: no luck`), { code });
}
