import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ThreadPool } from '../../src/ports/thread-pool.ts';
import { ResultViews } from '../../src/service/result-views.ts';
import type { ByteRange, ByteView } from '../../src/service/result-views.ts';
import type { Engines } from '../../src/stages/engines.ts';
import { failedRunsName, resultName } from '../../src/stages/names.ts';
import { httpErrorLine } from '../stages/answers/made-answers.ts';
import type { Kind } from './support/answered-lines.ts';
import { isOk, lineOf, mixed } from './support/answered-lines.ts';
import type { StoredLine, Workshop } from './support/stored-job.ts';
import { storeJob, workshop } from './support/stored-job.ts';

const MAX_BLOCK_BYTES = 256 * 1024;

async function read(bytes: AsyncIterable<Buffer>): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for await (const block of bytes) {
    expect(block.length).toBeLessThanOrEqual(MAX_BLOCK_BYTES);
    blocks.push(block);
  }
  return Buffer.concat(blocks);
}

function textOf(lines: readonly StoredLine[]): string {
  return lines.map(({ answer }) => answer).join('');
}

async function merged(lines: readonly StoredLine[], at?: Workshop) {
  const house = at ?? (await workshop());
  const job = await storeJob(house, lines);
  const succeeded = lines.filter(isOk).length;
  const rejected = lines.filter((line) => line.rejected === true).length;
  await job.merge({ succeeded, failed: lines.length - succeeded - rejected, rejected });
  return { house, job, state: await job.state(), results: new ResultViews(house) };
}

/** The engines, and how often each was asked. */
function counted(engines: ThreadPool<Engines>) {
  const asked: string[] = [];
  const run: typeof engines.run = (task, input) => {
    asked.push(task);
    return engines.run(task, input);
  };
  return { asked, engines: { ...engines, run } };
}

async function expectSlices(view: ByteView, whole: Buffer, ranges: readonly ByteRange[]) {
  for (const range of ranges) {
    const found = await read(view.read(range));
    expect(found.equals(whole.subarray(range.start, range.end)), JSON.stringify(range)).toBe(true);
  }
}

describe('the halves of a result', () => {
  test('interleave back to it, and their ranges are slices, whatever the lines', async () => {
    const house = await workshop();
    const kinds = fc.constantFrom<Kind>('ok', 'ok', 'failed', 'rejected', 'unreadable');
    const made = fc.array(fc.tuple(kinds, fc.nat({ max: 300 })), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(made, fc.array(fc.tuple(fc.nat(), fc.nat())), async (specs, cuts) => {
        const lines = specs.map(([kind, size], index) => lineOf(kind, index, size, 0));
        const { state, results } = await merged(lines, house);
        const views = {
          all: await results.view(state, 'all'),
          ok: await results.view(state, 'ok'),
          failed: await results.view(state, 'failed'),
        };
        const expected = {
          all: textOf(lines),
          ok: textOf(lines.filter(isOk)),
          failed: textOf(lines.filter((line) => !isOk(line))),
        };
        for (const name of ['all', 'ok', 'failed'] as const) {
          const whole = Buffer.from(expected[name]);
          expect(views[name].sizeBytes).toBe(whole.length);
          expect((await read(views[name].read())).equals(whole)).toBe(true);
          const ranges = cuts.map(([from, length]) => {
            const start = from % (whole.length + 1);
            return { start, end: start + (length % (whole.length + 2)) };
          });
          await expectSlices(views[name], whole, ranges);
        }
        const { okBytes, failedBytes } = await results.sizes(state);
        expect([okBytes, failedBytes]).toEqual([views.ok.sizeBytes, views.failed.sizeBytes]);
      }),
      { numRuns: 40 },
    );
  });

  test('hold lines that are longer than a block, and many that are shorter', async () => {
    const lines = [
      ...mixed(4_000, () => 0),
      lineOf('ok', 4_000, 300_000, 0),
      lineOf('unreadable', 4_001, 900_000, 0),
      lineOf('failed', 4_002, 0, 0),
      lineOf('ok', 4_003, 1, 0),
    ];
    const { state, results } = await merged(lines);
    for (const include of ['ok', 'failed'] as const) {
      const whole = Buffer.from(textOf(lines.filter((line) => isOk(line) === (include === 'ok'))));
      const view = await results.view(state, include);
      expect((await read(view.read())).equals(whole)).toBe(true);
      const middle = Math.floor(whole.length / 2);
      await expectSlices(view, whole, [
        { start: middle, end: whole.length },
        { start: 17, end: middle },
        { start: whole.length - 1, end: whole.length + 9 },
      ]);
    }
  });

  test('need no scan where all lines are of one kind', async () => {
    for (const kind of ['ok', 'failed'] as const) {
      const { house, job, state } = await merged([0, 1].map((at) => lineOf(kind, at, 9, 0)));
      const { asked, engines } = counted(house.engines);
      const results = new ResultViews({ ...house, engines });
      const other = kind === 'ok' ? 'failed' : 'ok';
      expect((await read((await results.view(state, kind)).read())).equals(job.result)).toBe(true);
      expect((await results.view(state, other)).sizeBytes).toBe(0);
      expect(await results.knownSizes(state)).toEqual(await results.sizes(state));
      expect(asked).toEqual([]);
    }
  });

  test('are scanned once, however many ask at once, and not again afterwards', async () => {
    const { house, state } = await merged(mixed(50, () => 0));
    const { asked, engines } = counted(house.engines);
    const results = new ResultViews({ ...house, engines });
    await Promise.all([1, 2, 3].map(() => results.sizes(state)));
    await results.view(state, 'ok');
    await new ResultViews({ ...house, engines }).sizes(state);
    expect(asked).toEqual(['findFailedRuns']);
  });

  test('have sizes that are unknown until a scan in the background is done', async () => {
    const { house, job, state } = await merged(mixed(50, () => 0));
    const scanned = Promise.withResolvers<void>();
    let isBroken = true;
    const run = async (...input: Parameters<typeof house.engines.run>) => {
      if (isBroken) throw new Error('no thread today');
      const answer = await house.engines.run(...input);
      scanned.resolve();
      return answer;
    };
    const engines = { ...house.engines, run } as typeof house.engines;
    const results = new ResultViews({ ...house, engines });
    expect(await results.knownSizes(state)).toBeNull();
    await expect(results.sizes(state)).rejects.toThrow('no thread today');
    isBroken = false;
    expect(await results.knownSizes(state)).toBeNull();
    await scanned.promise;
    await expect.poll(() => results.knownSizes(state)).not.toBeNull();
    expect(await results.knownSizes(state)).toEqual(await results.sizes(state));
    expect((await results.knownSizes(state))?.okBytes).toBeLessThan(job.result.length);
  });

  test('are found anew where their index was cut', async () => {
    const { house, job, state, results } = await merged(mixed(50, () => 0));
    const sizes = await results.sizes(state);
    const bytes = await house.blobs.get(failedRunsName(job.id));
    await house.blobs.put(failedRunsName(job.id), bytes?.subarray(0, -24) ?? Buffer.alloc(0));
    expect(await new ResultViews(house).sizes(state)).toEqual(sizes);
  });

  test('say that the store is damaged where the result is gone', async () => {
    const { house, job, state, results } = await merged(mixed(50, () => 0));
    const views = [await results.view(state, 'all'), await results.view(state, 'ok')];
    await house.blobs.delete(resultName(job.id));
    const damaged = { code: 'store_damaged' };
    for (const view of views) await expect(read(view.read())).rejects.toMatchObject(damaged);
    await expect(results.view(state, 'all')).rejects.toMatchObject(damaged);
  });

  test('are refused before the result is there', async () => {
    const house = await workshop();
    const job = await storeJob(
      house,
      mixed(2, () => 0),
    );
    const asking = new ResultViews(house).view(await job.state(), 'all');
    await expect(asking).rejects.toMatchObject({ code: 'not_finished' });
  });
});

describe('what failed', () => {
  const lines = [
    ...Array.from({ length: 20 }, (_, index) => {
      const kinds = ['ok', 'failed', 'rejected'] as const;
      return lineOf(kinds[index % 3] ?? 'ok', index, 3, index % 2);
    }),
    { id: 'late', chunk: 0, answer: httpErrorLine('late', 503, 'busy') },
    // Rejected because another line has its id: that one was answered, and stays so.
    { ...lineOf('rejected', 0, 0, 1), id: 'id-0' },
  ];
  const failedIds = ['id-1', 'id-4', 'id-7', 'id-10', 'id-13', 'id-16', 'id-19', 'late'];

  test('comes in pages and in groups', async () => {
    const { state, results } = await merged(lines);
    const first = await results.failures(state, { after: 0, limit: 3 });
    expect(first.failures.map(({ line }) => line)).toEqual([2, 3, 5]);
    expect(first.next).toBe(5);
    const busy = await results.failures(state, { after: 5, limit: 3, class: '503 busy' });
    expect(busy).toMatchObject({ failures: [{ line: 21, customId: 'late' }], next: null });
    const { groups, failed } = await results.groups(state, 2);
    expect(failed).toBe(15);
    expect(groups.map((group) => group.class)).toEqual(['400 bad', 'invalid_method', '503 busy']);
  });

  test('is nothing where nothing failed', async () => {
    const { state, results } = await merged([lineOf('ok', 0, 1, 0)]);
    expect(await results.failures(state, { after: 0, limit: 5 })).toEqual({
      failures: [],
      next: null,
    });
    expect(await results.groups(state, 3)).toEqual({ groups: [], failed: 0 });
  });

  test('is found again as requests: those that were sent, in input order', async () => {
    const { house, job, state, results } = await merged(lines);
    const path = (name: string): string => join(house.folder, name);
    const all = await results.writeFailedRequests(state, 'all', path('all'));
    expect(await readFile(path('all'), 'utf8')).toBe(job.requestsOf(failedIds));
    expect(all).toEqual({ requests: 8, sizeBytes: job.requestsOf(failedIds).length });
    await results.writeFailedRequests(state, 'retryable', path('retryable'));
    expect(await readFile(path('retryable'), 'utf8')).toBe(job.requestsOf(['late']));
    await results.writeFailedRequests(state, ['400 bad'], path('bad'));
    expect(await readFile(path('bad'), 'utf8')).toBe(job.requestsOf(failedIds.slice(0, -1)));
  });

  test('is an empty file of requests where nothing failed', async () => {
    const { house, state, results } = await merged([lineOf('ok', 0, 1, 0)]);
    const path = join(house.folder, 'none');
    expect(await results.writeFailedRequests(state, 'all', path)).toEqual({
      requests: 0,
      sizeBytes: 0,
    });
  });
});

describe('a job that is not over', () => {
  test('shows the lines of its settled chunks in input order', async () => {
    const house = await workshop();
    const lines = mixed(60, (index) => (index < 40 ? index % 3 : 3));
    const job = await storeJob(house, lines);
    const results = new ResultViews(house);
    expect((await read(results.partial(await job.state()))).length).toBe(0);
    for (const chunk of [3, 1, 0]) {
      await job.settle(chunk);
      const settled = { 3: [3], 1: [1, 3], 0: [0, 1, 3] }[chunk] ?? [];
      const text = (await read(results.partial(await job.state()))).toString();
      expect(text).toBe(textOf(lines.filter((line) => settled.includes(line.chunk))));
    }
  });

  test('shows them to the end though its parts go meanwhile', async () => {
    const house = await workshop();
    const lines = mixed(6_000, (index) => index % 3);
    const job = await storeJob(house, lines);
    await job.settle(0);
    await job.settle(2);
    const blocks: Buffer[] = [];
    for await (const block of new ResultViews(house).partial(await job.state())) {
      blocks.push(block);
      if (blocks.length > 1) continue;
      await job.settle(1);
      await job.merge({ succeeded: 1, failed: 1, rejected: 0 });
      await job.clean();
    }
    expect(blocks.length).toBeGreaterThan(2);
    const expected = textOf(lines.filter(({ chunk }) => chunk !== 1));
    expect(Buffer.concat(blocks).toString() === expected).toBe(true);
  });

  test('says that the store is damaged where a part is gone without a result', async () => {
    const house = await workshop();
    const job = await storeJob(
      house,
      mixed(9, () => 0),
    );
    await job.settle(0);
    await job.clean();
    const results = new ResultViews(house);
    const damaged = { code: 'store_damaged' };
    await expect(read(results.partial(await job.state()))).rejects.toMatchObject(damaged);
    const following = read(results.follow(job.id, new AbortController().signal));
    await expect(following).rejects.toMatchObject(damaged);
  });
});
