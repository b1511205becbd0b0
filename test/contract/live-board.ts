/** What every live board must do, whatever it is made of. */

import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { chunkIdOf, type JobId } from '../../src/domain/ids.ts';
import type { ChunkRef, LiveBoard } from '../../src/ports/live-board.ts';

export interface LiveBoardUnderTest {
  readonly board: LiveBoard;
  /** Loses everything, as a flush does. */
  readonly forget: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const EARLY = `job_${'0'.repeat(26)}` as JobId;
const LATE = `job_${'1'.repeat(26)}` as JobId;

function ref(chunk: number, job: JobId = EARLY): ChunkRef {
  return { job, chunk: chunkIdOf(chunk) };
}

/** `make` is called for each test and gives a board that shares nothing with earlier ones. */
export function liveBoardContract(name: string, make: () => Promise<LiveBoardUnderTest>): void {
  describe(`${name} as a live board`, () => {
    let subject: LiveBoardUnderTest;
    beforeEach(async () => {
      subject = await make();
    });
    afterEach(() => subject.close());
    const context = () => subject;
    readiness(context);
    slots(context);
    lines(context);
    progress(context);
  });
}

type Context = () => LiveBoardUnderTest;

function readiness(context: Context): void {
  test('nobody gets a slot before the board is marked ready', async () => {
    const { board } = context();
    expect(await board.isReady()).toBe(false);
    expect(await board.takeSlot('m', ref(0), 4)).toBe('unready');
    await board.markReady();
    expect(await board.isReady()).toBe(true);
    expect(await board.takeSlot('m', ref(0), 4)).toBe('taken');
  });

  test('a board that lost everything is unready, and what was restored counts', async () => {
    const { board, forget } = context();
    await board.markReady();
    await board.takeSlot('m', ref(0), 1);
    await forget();
    expect(await board.takeSlot('m', ref(0), 1)).toBe('unready');
    await board.restoreSlot('m', ref(0));
    await board.markReady();
    expect(await board.takeSlot('m', ref(1), 1)).toBe('parked');
  });
}

function slots(context: Context): void {
  test('a model has as many slots as its capacity, models do not share them', async () => {
    const { board } = context();
    await board.markReady();
    const answers = [];
    for (const chunk of [0, 1, 2]) answers.push(await board.takeSlot('a', ref(chunk), 2));
    expect(answers).toEqual(['taken', 'taken', 'parked']);
    expect(await board.takeSlot('b', ref(2), 2)).toBe('taken');
  });

  test('of many that want the last slot at once exactly one takes it', async () => {
    const { board } = context();
    await board.markReady();
    const wishes = Array.from({ length: 20 }, (_, i) => board.takeSlot('m', ref(i), 1));
    const answers = await Promise.all(wishes);
    expect(answers.filter((answer) => answer === 'taken')).toHaveLength(1);
    expect(answers.filter((answer) => answer === 'parked')).toHaveLength(19);
  });

  test('taking a slot that is held renews it, also where all are taken', async () => {
    const { board } = context();
    await board.markReady();
    await board.takeSlot('m', ref(0), 1);
    expect(await board.takeSlot('m', ref(0), 1)).toBe('taken');
    expect(await board.holders('m')).toHaveLength(1);
  });

  test('restoring goes beyond the capacity', async () => {
    const { board } = context();
    await board.markReady();
    for (const chunk of [0, 1, 2]) await board.restoreSlot('m', ref(chunk));
    const holders = (await board.holders('m')).map(({ holder }) => holder);
    expect(holders).toEqual(expect.arrayContaining([ref(0), ref(1), ref(2)]));
    expect(await board.takeSlot('m', ref(3), 2)).toBe('parked');
  });

  test('holders are told with the time since they took their slot', async () => {
    const { board } = context();
    await board.markReady();
    expect(await board.holders('m')).toEqual([]);
    await board.takeSlot('m', ref(3, LATE), 1);
    const [held] = await board.holders('m');
    expect(held?.holder).toEqual(ref(3, LATE));
    expect(held?.heldMs).toBeGreaterThanOrEqual(0);
    expect(held?.heldMs).toBeLessThan(20_000);
  });

  test('a freed slot can be taken by another', async () => {
    const { board } = context();
    await board.markReady();
    await board.takeSlot('m', ref(0), 1);
    expect(await board.freeSlot('m', ref(0))).toBeNull();
    expect(await board.takeSlot('m', ref(1), 1)).toBe('taken');
  });

  test('never more holders than slots, and nobody in line is forgotten', async () => {
    const { board, forget } = context();
    const step = fc.record({ take: fc.boolean(), chunk: fc.nat(9) });
    const capacities = fc.integer({ min: 1, max: 4 });
    const property = fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      capacities,
      async (steps, capacity) => {
        await forget();
        await board.markReady();
        expect(await answersOf(board, steps, capacity)).toEqual(modelled(steps, capacity));
      },
    );
    await fc.assert(property, { numRuns: 30 });
  });
}

interface Step {
  readonly take: boolean;
  readonly chunk: number;
}

/** What the board answers to each step, and how many hold a slot after it. */
async function answersOf(board: LiveBoard, steps: readonly Step[], capacity: number) {
  const answers: [answer: unknown, holders: number][] = [];
  for (const { take, chunk } of steps) {
    const answer = take
      ? await board.takeSlot('m', ref(chunk), capacity)
      : await board.freeSlot('m', ref(chunk));
    answers.push([answer, (await board.holders('m')).length]);
  }
  return answers;
}

/** The same with two sets. */
function modelled(steps: readonly Step[], capacity: number): [answer: unknown, holders: number][] {
  const held = new Set<number>();
  const line = new Set<number>();
  const taken = (chunk: number): string => {
    const fits = held.has(chunk) || held.size < capacity;
    line.delete(chunk);
    (fits ? held : line).add(chunk);
    return fits ? 'taken' : 'parked';
  };
  const freed = (chunk: number): ChunkRef | null => {
    held.delete(chunk);
    line.delete(chunk);
    if (line.size === 0) return null;
    const next = Math.min(...line);
    line.delete(next);
    return ref(next);
  };
  return steps.map(({ take, chunk }) => [take ? taken(chunk) : freed(chunk), held.size]);
}

function lines(context: Context): void {
  test('the line is served by age of the job, then by chunk, whoever came first', async () => {
    const { board } = context();
    await board.markReady();
    await board.takeSlot('m', ref(0), 1);
    const parked = [ref(2, LATE), ref(10, EARLY), ref(1, LATE), ref(9, EARLY)];
    for (const chunk of parked) await board.takeSlot('m', chunk, 1);
    const served = [];
    for (let i = 0; i < 5; i += 1) served.push(await board.freeSlot('m', ref(0)));
    expect(served).toEqual([ref(9, EARLY), ref(10, EARLY), ref(1, LATE), ref(2, LATE), null]);
  });

  test('parking twice is standing in line once', async () => {
    const { board } = context();
    await board.markReady();
    await board.takeSlot('m', ref(0), 1);
    await board.takeSlot('m', ref(1), 1);
    await board.takeSlot('m', ref(1), 1);
    expect(await board.freeSlot('m', ref(0))).toEqual(ref(1));
    expect(await board.freeSlot('m', ref(0))).toBeNull();
  });

  test('a parked chunk that gives up leaves the line', async () => {
    const { board } = context();
    await board.markReady();
    await board.takeSlot('m', ref(0), 1);
    await board.takeSlot('m', ref(1), 1);
    await board.takeSlot('m', ref(2), 1);
    expect(await board.freeSlot('m', ref(1))).toEqual(ref(2));
    expect(await board.freeSlot('m', ref(0))).toBeNull();
  });
}

const RUNNING = { phase: 'in_progress', reason: '', total: 10, done: 4, failed: 1 };

function progress(context: Context): void {
  test('progress is told as it was set, the last word counts, jobs are apart', async () => {
    const { board } = context();
    const waiting = { ...RUNNING, phase: 'waiting', reason: 'no slot — “später”' };
    await board.setProgress(ref(0), waiting);
    await board.setProgress(ref(0), RUNNING);
    await board.setProgress(ref(1), waiting);
    await board.setProgress(ref(2, LATE), RUNNING);
    const expected = [
      [chunkIdOf(0), RUNNING],
      [chunkIdOf(1), waiting],
    ] as const;
    expect(await board.progress(EARLY)).toEqual(new Map(expected));
    expect(await board.progress(LATE)).toEqual(new Map([[chunkIdOf(2), RUNNING]]));
  });

  test('a dropped job has no progress and stands in no line, other jobs do', async () => {
    const { board } = context();
    await board.markReady();
    for (const model of ['a', 'b']) {
      await board.takeSlot(model, ref(0, LATE), 1);
      await board.takeSlot(model, ref(1, EARLY), 1);
      await board.takeSlot(model, ref(1, LATE), 1);
    }
    await board.setProgress(ref(1), RUNNING);
    await board.setProgress(ref(1, LATE), RUNNING);
    await board.dropJob(EARLY);
    expect(await board.progress(EARLY)).toEqual(new Map());
    expect(await board.progress(LATE)).toEqual(new Map([[chunkIdOf(1), RUNNING]]));
    expect(await board.freeSlot('a', ref(0, LATE))).toEqual(ref(1, LATE));
    expect(await board.freeSlot('b', ref(0, LATE))).toEqual(ref(1, LATE));
  });
}
