import { describe, expect, it, test } from 'vitest';
import { chunkIdOf } from '../../src/domain/ids.ts';
import { chunkBell, jobBell } from '../../src/service/bells.ts';
import { CANCEL, HOLD, JOB, STRAY, chunkIn, jobIn } from '../domain/support/samples.ts';

const CHUNK = chunkIdOf(4);

describe('the bell of a chunk', () => {
  const queues = [
    ['waiting', 'dispatch'],
    ['uploaded', 'dispatch'],
    ['submitting', 'dispatch'],
    ['abandoning', 'dispatch'],
    ['submitted', 'poll'],
    ['ended', 'settle'],
    ['settling', 'settle'],
  ] as const;
  test.each(queues)('%s rings in %s', (status, queue) => {
    const due = chunkBell(JOB, CHUNK, chunkIn(status), 9);
    expect(due?.bell).toEqual({ queue, job: JOB, chunk: CHUNK, version: 9 });
  });

  it('sleeps as long as the chunk pauses', () => {
    expect(chunkBell(JOB, CHUNK, chunkIn('waiting', { pauseMs: 12 }), 1)?.delayMs).toBe(12);
  });

  it('does not ring for a chunk that is settled or held', () => {
    expect(chunkBell(JOB, CHUNK, chunkIn('settled'), 1)).toBeNull();
    expect(chunkBell(JOB, CHUNK, chunkIn('waiting', { intent: HOLD }), 1)).toBeNull();
  });

  it('rings in settle for strays', () => {
    const due = chunkBell(JOB, CHUNK, chunkIn('settling', { strays: [STRAY] }), 1);
    expect(due?.bell.queue).toBe('settle');
  });
});

describe('the bell of a job', () => {
  it('rings in plan until there is one, and in merge from then on', () => {
    expect(jobBell(jobIn('created'), 1)?.bell).toEqual({
      queue: 'plan',
      job: JOB,
      chunk: null,
      version: 1,
    });
    expect(jobBell(jobIn('created', { intent: CANCEL }), 1)?.bell.queue).toBe('plan');
    expect(jobBell(jobIn('planned'), 2)?.bell.queue).toBe('merge');
    expect(jobBell(jobIn('planned', { intent: CANCEL }), 2)?.bell.queue).toBe('merge');
    expect(jobBell(jobIn('merged'), 3)?.bell.queue).toBe('merge');
  });

  it('does not ring for a job that is over', () => {
    expect(jobBell(jobIn('done'), 4)).toBeNull();
    expect(jobBell(jobIn('refused'), 2)).toBeNull();
  });
});
