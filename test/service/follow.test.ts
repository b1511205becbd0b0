import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ResultViews } from '../../src/service/result-views.ts';
import { jobFolder } from '../../src/stages/names.ts';
import { httpErrorLine, successLine } from '../stages/answers/made-answers.ts';
import { eventually } from '../support/program.ts';
import type { StoredJob, StoredLine, Workshop } from './support/stored-job.ts';
import { storeJob, workshop } from './support/stored-job.ts';

const COUNTS = { succeeded: 1, failed: 1, rejected: 0 };

function linesOf(owners: readonly number[], size = 20): StoredLine[] {
  return owners.map((chunk, index) => {
    const id = `id-${index}`;
    const answer =
      index % 4 === 1 ? httpErrorLine(id, 500, 'x') : successLine(id, 'é'.repeat(size));
    return { id, chunk, answer };
  });
}

/** Chunks counted in the order of their first lines, as the planner counts them. */
function inPlannersOrder(owners: readonly number[]): number[] {
  const seen = [...new Set(owners)];
  return owners.map((owner) => seen.indexOf(owner));
}

/** A house in which a wait is one turn of the event loop. */
async function hastyHouse(): Promise<Workshop> {
  const house = await workshop();
  const sleep = () => new Promise<void>((resolve) => void setImmediate(resolve));
  return { ...house, clock: { ...house.clock, sleep } };
}

/** Follows the job, and collects what comes. */
function follower(house: Workshop, job: StoredJob, signal = new AbortController().signal) {
  const blocks: Buffer[] = [];
  const ended = (async () => {
    for await (const block of new ResultViews(house).follow(job.id, signal)) blocks.push(block);
  })();
  ended.catch(() => undefined);
  const text = (): string => Buffer.concat(blocks).toString();
  return {
    ended,
    text,
    has: (expected: string) =>
      eventually(() => {
        if (text() !== expected) throw new Error(`it has ${text().length} characters`);
      }),
  };
}

/** The answers before which none is missing. */
function prefix(lines: readonly StoredLine[], settled: ReadonlySet<number>): string {
  const missing = lines.findIndex(({ chunk }) => !settled.has(chunk));
  const known = missing < 0 ? lines : lines.slice(0, missing);
  return known.map(({ answer }) => answer).join('');
}

describe('following a job', () => {
  test('yields what nothing is missing before, as chunks settle, and then the result', async () => {
    const house = await hastyHouse();
    const owners = fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(owners, fc.infiniteStream(fc.nat()), async (made, chances) => {
        const lines = linesOf(inPlannersOrder(made));
        const job = await storeJob(house, lines);
        const following = follower(house, job);
        const left = [...new Set(lines.map(({ chunk }) => chunk))];
        const settled = new Set<number>();
        while (left.length > 0) {
          const at = Number(chances.next().value) % left.length;
          for (const chunk of left.splice(at, 1)) {
            await job.settle(chunk);
            settled.add(chunk);
          }
          await following.has(prefix(lines, settled));
        }
        await job.merge(COUNTS);
        await following.ended;
        expect(following.text()).toBe(job.result.toString());
      }),
      { numRuns: 15 },
    );
  });

  test('goes on in the result where parts went before it read them', async () => {
    const house = await hastyHouse();
    const lines = linesOf(inPlannersOrder([0, 1, 0, 2, 1, 2, 0, 3, 3]));
    const job = await storeJob(house, lines);
    const following = follower(house, job);
    await job.settle(0);
    await following.has(prefix(lines, new Set([0])));
    await job.settle(1);
    await job.merge(COUNTS);
    await job.clean();
    await following.ended;
    expect(following.text()).toBe(job.result.toString());
  });

  test('goes on in the result where a part goes while it is read', async () => {
    const house = await hastyHouse();
    const lines = linesOf([0, 0, 0, 1, 1], 400_000);
    const job = await storeJob(house, lines);
    await job.settle(0);
    const blocks: Buffer[] = [];
    for await (const block of new ResultViews(house).follow(job.id, AbortSignal.any([]))) {
      if (blocks.push(block) > 1) continue;
      await job.merge(COUNTS);
      await job.clean();
    }
    expect(Buffer.concat(blocks).equals(job.result)).toBe(true);
  });

  test('yields the result of a job that is over, rejects for one that was refused', async () => {
    const house = await hastyHouse();
    const over = await storeJob(house, linesOf([0, 0]));
    await over.merge(COUNTS);
    const refused = await storeJob(house, linesOf([0]));
    await refused.refuse();
    const [one, other] = [follower(house, over), follower(house, refused)];
    await expect(other.ended).rejects.toMatchObject({ code: 'no_result' });
    await one.ended;
    expect(one.text()).toBe(over.result.toString());
    expect(other.text()).toBe('');
  });

  test('never ends as if all were there where it is aborted or the job deleted', async () => {
    const house = await hastyHouse();
    const job = await storeJob(house, linesOf([0, 1]));
    const stopping = new AbortController();
    const stopped = follower(house, job, stopping.signal);
    const bereft = follower(house, job);
    await job.settle(0);
    await stopped.has(job.partOf(0).toString());
    stopping.abort(new Error('stopped'));
    await expect(stopped.ended).rejects.toThrow('stopped');
    await house.blobs.deleteFolder(jobFolder(job.id));
    await expect(bereft.ended).rejects.toMatchObject({ code: 'unknown_job' });
  });
});
