import { describe, expect, it, test } from 'vitest';
import { holdsSlot, needsSlot, owedByChunk, owedByJob } from '../../src/domain/owed.ts';
import { CANCEL, CHUNK_STATUSES, HOLD, STRAY, chunkIn, jobIn } from './support/samples.ts';

describe('what a chunk owes', () => {
  const steps = [
    ['waiting', 'upload'],
    ['uploaded', 'submit'],
    ['submitting', 'adopt'],
    ['abandoning', 'abandon'],
    ['submitted', 'poll'],
    ['ended', 'collect'],
    ['settling', 'settle'],
    ['settled', null],
  ] as const;
  test.each(steps)('%s owes %s', (status, step) => {
    expect(owedByChunk(chunkIn(status))?.step ?? null).toBe(step);
  });

  it('is due after the pause that the chunk waits for', () => {
    expect(owedByChunk(chunkIn('waiting', { pauseMs: 70 }))).toEqual({
      step: 'upload',
      delayMs: 70,
    });
    expect(owedByChunk(chunkIn('uploaded', { pauseMs: 80 }))).toEqual({
      step: 'submit',
      delayMs: 80,
    });
    expect(owedByChunk(chunkIn('submitted'))?.delayMs).toBe(0);
  });

  it('is nothing new while the chunk is held, but what may be paid goes on', () => {
    const owed = CHUNK_STATUSES.map(
      (status) => owedByChunk(chunkIn(status, { intent: HOLD }))?.step,
    );
    const afterwards = ['adopt', 'abandon', 'poll', 'collect', 'settle'];
    expect(owed).toEqual([undefined, undefined, ...afterwards, undefined]);
  });

  it('is the strays before the part', () => {
    expect(owedByChunk(chunkIn('settling', { strays: [STRAY] }))?.step).toBe('collect_strays');
  });
});

describe('what a job owes', () => {
  it('follows from its status', () => {
    const owed = (['created', 'planned', 'merged', 'refused', 'done'] as const).map(
      (status) => owedByJob(jobIn(status))?.step ?? null,
    );
    expect(owed).toEqual(['plan', 'merge', 'clean', null, null]);
  });

  it('is a withdrawal where it is cancelled before it has a plan', () => {
    expect(owedByJob(jobIn('created', { intent: CANCEL }))?.step).toBe('withdraw');
  });

  it('is to spread an intent that its chunks have not heard', () => {
    expect(owedByJob(jobIn('planned', { intent: HOLD }))?.step).toBe('spread');
    expect(owedByJob(jobIn('planned', { intent: HOLD, spreadRevision: 1 }))?.step).toBe('merge');
  });
});

test('a chunk holds a slot while a batch or a file of it may be under way', () => {
  const holding = CHUNK_STATUSES.filter((status) => holdsSlot(chunkIn(status)));
  expect(holding).toEqual(['uploaded', 'submitting', 'abandoning', 'submitted']);
});

test('a held chunk gives its slot away where it has no batch that takes one by itself', () => {
  const holding = CHUNK_STATUSES.filter((status) => holdsSlot(chunkIn(status, { intent: HOLD })));
  expect(holding).toEqual(['submitting', 'abandoning', 'submitted']);
  expect(CHUNK_STATUSES.filter((status) => needsSlot(chunkIn(status)))).toEqual(holding);
});
