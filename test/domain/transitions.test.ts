import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { ChunkEvent, ChunkState } from '../../src/domain/chunk.ts';
import { JOB_CANCELLED, freshChunk } from '../../src/domain/chunk.ts';
import type { JobEvent, JobState } from '../../src/domain/job.ts';
import { isTerminal } from '../../src/domain/job.ts';
import { applyToChunk, applyToJob } from '../../src/domain/transitions.ts';
import {
  CANCEL,
  CHUNK_EVENTS,
  CHUNK_STATUSES,
  COLLECTED,
  HOLD,
  JOB_EVENTS,
  JOB_STATUSES,
  STRAY,
  chunkIn,
  jobIn,
} from './support/samples.ts';

/** What each event makes of each state; what is not here is refused. */
const CHUNK_TABLE: Record<ChunkState['status'], Partial<Record<ChunkEvent['type'], string>>> = {
  waiting: {
    taken_over: 'submitted',
    uploaded: 'uploaded',
    drained: 'settling',
    stray_found: 'waiting',
    intended: 'waiting',
  },
  uploaded: {
    submitting: 'submitting',
    file_lost: 'waiting',
    stray_found: 'waiting',
    intended: 'uploaded',
  },
  submitting: {
    unsent: 'uploaded',
    submitted: 'submitted',
    abandoning: 'abandoning',
    stray_found: 'submitting',
    intended: 'submitting',
  },
  abandoning: {
    submitted: 'submitted',
    abandoned: 'waiting',
    stray_found: 'abandoning',
    intended: 'abandoning',
  },
  submitted: { ended: 'ended', stray_found: 'submitted', intended: 'submitted' },
  ended: { collected: 'waiting', stray_found: 'ended', intended: 'ended' },
  settling: { settled: 'settled', stray_found: 'settling', intended: 'settling' },
  settled: {},
};

const JOB_TABLE: Record<JobState['status'], Partial<Record<JobEvent['type'], string>>> = {
  created: { refused: 'refused', planned: 'planned', adjusted: 'created', wished: 'created' },
  refused: {},
  planned: { adjusted: 'planned', wished: 'planned', spread: 'planned', merged: 'merged' },
  merged: { cleaned: 'done' },
  done: {},
};

describe('every event in every state of a chunk', () => {
  const cases = CHUNK_STATUSES.flatMap((status) =>
    Object.values(CHUNK_EVENTS).map((event) => ({
      status,
      event,
      type: event.type,
      next: CHUNK_TABLE[status][event.type] ?? null,
    })),
  );
  test.each(cases)('$type in $status makes it $next', ({ status, event, next }) => {
    expect(applyToChunk(chunkIn(status), event)?.status ?? null).toBe(next);
  });
});

describe('every event in every state of a job', () => {
  const cases = JOB_STATUSES.flatMap((status) =>
    Object.values(JOB_EVENTS).map((event) => ({
      status,
      event,
      type: event.type,
      next: JOB_TABLE[status][event.type] ?? null,
    })),
  );
  test.each(cases)('$type in $status makes it $next', ({ status, event, next }) => {
    expect(applyToJob(jobIn(status), event)?.status ?? null).toBe(next);
  });

  it('begins with the event that creates it and with no other', () => {
    for (const event of Object.values(JOB_EVENTS)) {
      expect(applyToJob(null, event)?.status ?? null).toBe(
        event.type === 'created' ? 'created' : null,
      );
    }
  });
});

describe('what belongs to one attempt', () => {
  const foreign: ChunkEvent[] = [
    { ...CHUNK_EVENTS.unsent, attemptId: 'attempt-0' },
    { ...CHUNK_EVENTS.submitted, attemptId: 'attempt-0' },
    { ...CHUNK_EVENTS.abandoning, attemptId: 'attempt-0' },
    { ...CHUNK_EVENTS.abandoned, attemptId: 'attempt-0' },
    { ...CHUNK_EVENTS.file_lost, fileId: 'file-0' },
    { ...CHUNK_EVENTS.ended, batch: { ...CHUNK_EVENTS.ended.batch, batchId: 'batch_0' } },
    { ...CHUNK_EVENTS.collected, attempt: { ...COLLECTED, number: 7 } },
    { ...CHUNK_EVENTS.uploaded, attempt: { ...CHUNK_EVENTS.uploaded.attempt, number: 7 } },
  ];
  test.each(foreign)('$type of another attempt changes nothing', (event) => {
    for (const status of CHUNK_STATUSES) expect(applyToChunk(chunkIn(status), event)).toBeNull();
  });

  it('keeps the file and the time of an attempt that was given up', () => {
    const state = applyToChunk(chunkIn('abandoning'), CHUNK_EVENTS.abandoned);
    expect(state?.abandoned).toEqual([
      { number: 1, attemptId: 'attempt-1', fileId: 'file-1', fileCreatedAtMs: 1_000 },
    ]);
  });
});

describe('intents', () => {
  const cancelled: ChunkEvent = { type: 'intended', intent: CANCEL };

  test.each(['waiting', 'uploaded'] as const)('a cancel settles a chunk that is %s', (status) => {
    const state = applyToChunk(chunkIn(status), cancelled);
    expect(state).toMatchObject({ status: 'settling', close: JOB_CANCELLED, intent: CANCEL });
  });

  it('lets a cancelled chunk end when its create is known not to exist', () => {
    const cancelledBefore = { intent: CANCEL };
    const unsent = applyToChunk(chunkIn('submitting', cancelledBefore), CHUNK_EVENTS.unsent);
    expect(unsent).toMatchObject({ status: 'settling', close: JOB_CANCELLED });
    const gone = applyToChunk(chunkIn('abandoning', cancelledBefore), CHUNK_EVENTS.abandoned);
    expect(gone).toMatchObject({ status: 'settling', close: JOB_CANCELLED });
    const again = applyToChunk(chunkIn('ended', cancelledBefore), CHUNK_EVENTS.collected);
    expect(again).toMatchObject({ status: 'settling', close: JOB_CANCELLED });
  });

  it('refuses a decision to create for a chunk that is held or cancelled', () => {
    for (const intent of [HOLD, CANCEL]) {
      expect(applyToChunk(chunkIn('uploaded', { intent }), CHUNK_EVENTS.submitting)).toBeNull();
    }
  });

  it('keeps a trouble that the job must be held for until any newer intent is heard', () => {
    const trouble = { code: 'insufficient_quota', message: 'no credit' } as const;
    const next = { kind: 'again', pauseMs: 5, reason: 'later', trouble } as const;
    const broke = applyToChunk(chunkIn('ended'), { ...CHUNK_EVENTS.collected, next });
    expect(broke).toMatchObject({ status: 'waiting', pauseMs: 5, reason: 'later', trouble });
    for (const kind of ['run', 'hold'] as const) {
      const intent = { ...HOLD, kind };
      const heard = broke && applyToChunk(broke, { type: 'intended', intent });
      expect(heard).toMatchObject({ status: 'waiting', pauseMs: 5, reason: 'later', intent });
      expect(heard).not.toHaveProperty('trouble');
    }
  });

  it('hears a newer intent only', () => {
    const heard = chunkIn('waiting', { intent: { ...HOLD, revision: 4 } });
    const older: ChunkEvent = { type: 'intended', intent: { kind: 'run', revision: 4 } };
    const newer: ChunkEvent = { type: 'intended', intent: { kind: 'run', revision: 5 } };
    expect(applyToChunk(heard, older)).toBeNull();
    expect(applyToChunk(heard, newer)?.intent).toEqual({ kind: 'run', revision: 5 });
  });

  it('numbers the wishes of a job, and nothing follows a cancel', () => {
    const held = applyToJob(jobIn('planned'), {
      type: 'wished',
      wish: { kind: 'hold', code: 'max_errors', message: 'too many' },
    });
    expect(held?.intent).toMatchObject({ kind: 'hold', revision: 1 });
    const cancelled = held && applyToJob(held, JOB_EVENTS.wished);
    expect(cancelled?.intent).toEqual({ kind: 'cancel', revision: 2 });
    expect(
      cancelled && applyToJob(cancelled, { type: 'wished', wish: { kind: 'run' } }),
    ).toBeNull();
  });
});

describe('counters', () => {
  const collected = (burned: 'executed' | 'recut' | 'pause') =>
    applyToChunk(chunkIn('ended', { pauses: 2, recuts: 1, executed: 1 }), {
      ...CHUNK_EVENTS.collected,
      burned,
    });

  it('counts what an attempt burned, and only pauses go on growing', () => {
    expect(collected('executed')).toMatchObject({ executed: 2, recuts: 1, pauses: 0 });
    expect(collected('recut')).toMatchObject({ executed: 1, recuts: 2, pauses: 0 });
    expect(collected('pause')).toMatchObject({ executed: 1, recuts: 1, pauses: 3 });
  });

  it('gives each upload a number of its own, and keeps every file for the cleaning', () => {
    const first = applyToChunk(freshChunk(3), CHUNK_EVENTS.uploaded);
    const lost = first && applyToChunk(first, CHUNK_EVENTS.file_lost);
    expect(lost).toMatchObject({ status: 'waiting', nextAttempt: 2, files: ['file-1'] });
    expect(lost && applyToChunk(lost, CHUNK_EVENTS.uploaded)).toBeNull();
  });

  it('has nothing to send for a chunk of rejected lines', () => {
    expect(freshChunk(0)).toMatchObject({ status: 'settling', close: null });
  });
});

describe('strays', () => {
  const found = chunkIn('settling', { strays: [STRAY] });

  test.each(['submitting', 'abandoning'] as const)(
    'a batch that is set aside is not the attempt’s own any more: %s',
    (status) => {
      const before = chunkIn(status, { strays: [STRAY] });
      const own = { ...CHUNK_EVENTS.submitted, batchId: STRAY.batchId };
      expect(applyToChunk(before, own)).toBeNull();
      expect(applyToChunk(before, CHUNK_EVENTS.submitted)?.status).toBe('submitted');
    },
  );

  it('are found once, and not at all where they were collected', () => {
    expect(applyToChunk(found, CHUNK_EVENTS.stray_found)).toBeNull();
    const known = { ...COLLECTED, batchId: STRAY.batchId, stray: true };
    const before = chunkIn('settling', { collected: [known] });
    expect(applyToChunk(before, CHUNK_EVENTS.stray_found)).toBeNull();
  });

  it('come before what is uploaded, or about to be', () => {
    const uploaded = applyToChunk(chunkIn('waiting', { strays: [STRAY] }), CHUNK_EVENTS.uploaded);
    expect(uploaded).toBeNull();
    const aside = applyToChunk(chunkIn('uploaded'), CHUNK_EVENTS.stray_found);
    expect(aside).toMatchObject({ status: 'waiting', strays: [STRAY], pauseMs: 0 });
    const unsent = applyToChunk(chunkIn('submitting', { strays: [STRAY] }), CHUNK_EVENTS.unsent);
    expect(unsent).toMatchObject({ status: 'waiting', strays: [STRAY] });
  });

  it('keep a chunk from settling until their answers are stored', () => {
    expect(applyToChunk(found, CHUNK_EVENTS.settled)).toBeNull();
    const collected = applyToChunk(found, CHUNK_EVENTS.stray_collected);
    expect(collected).toMatchObject({ strays: [], collected: [{ batchId: STRAY.batchId }] });
    expect(collected && applyToChunk(collected, CHUNK_EVENTS.settled)?.status).toBe('settled');
  });
});

describe('any sequence of events', () => {
  it('never leads a chunk back from settled, never shrinks what it knows', () => {
    const events = fc.array(fc.constantFrom(...Object.values(CHUNK_EVENTS)), { maxLength: 60 });
    const property = fc.property(events, (sequence) => {
      const states: ChunkState[] = [freshChunk(3)];
      for (const event of sequence) {
        const next = applyToChunk(states.at(-1) ?? freshChunk(3), event);
        if (next !== null) states.push(next);
      }
      const settledAt = states.findIndex(({ status }) => status === 'settled');
      expect([-1, states.length - 1]).toContain(settledAt);
      for (const [at, state] of states.slice(1).entries()) {
        const before = states[at] ?? state;
        expect(state.nextAttempt).toBeGreaterThanOrEqual(before.nextAttempt);
        expect(state.collected.slice(0, before.collected.length)).toEqual(before.collected);
        expect(state.abandoned.slice(0, before.abandoned.length)).toEqual(before.abandoned);
        expect(state.files.slice(0, before.files.length)).toEqual(before.files);
        expect(state.intent.revision).toBeGreaterThanOrEqual(before.intent.revision);
      }
    });
    fc.assert(property, { numRuns: 300 });
  });

  it('never leads a job back from its end', () => {
    const order = ['created', 'planned', 'merged', 'done', 'refused'];
    const events = fc.array(fc.constantFrom(...Object.values(JOB_EVENTS)), { maxLength: 40 });
    const property = fc.property(events, (sequence) => {
      const states: JobState[] = [];
      for (const event of sequence) {
        const next = applyToJob(states.at(-1) ?? null, event);
        if (next !== null) states.push(next);
      }
      const places = states.map(({ status }) => order.indexOf(status));
      expect(places).toEqual(places.toSorted((a, b) => a - b));
      expect(states.filter(isTerminal).length).toBeLessThanOrEqual(1);
    });
    fc.assert(property, { numRuns: 300 });
  });
});
