import { describe, expect, it } from 'vitest';

import {
  callbackBody,
  callbackEventOf,
  callbackId,
  callbackVerdict,
  callbackWaitMs,
} from '../../src/domain/callback.ts';
import { LOCAL_TENANT } from '../../src/domain/ids.ts';
import type { JobState, JobTerms } from '../../src/domain/job.ts';
import { CANCEL, JOB, jobIn, RESULT, SPEC } from './support/samples.ts';

const TERMS: JobTerms = {
  tenant: LOCAL_TENANT,
  metadata: { team: 'a', ['__proto__']: 'b' },
  callbackUrl: 'https://receiver.test/hook?token=x',
  inputFile: null,
  outputExpiresAfterSeconds: null,
  retryOf: null,
};
const spec = { ...SPEC, terms: TERMS };
const refusal = { code: 'job_cancelled', message: 'It was cancelled.', rejected: [] };

function told(status: JobState['status'], changes: Partial<JobState> = {}): JobState {
  return jobIn(status, { spec, ...changes });
}

describe('the event of a job', () => {
  it.each([
    ['created', {}, null],
    ['planned', {}, null],
    ['planned', { intent: CANCEL }, null],
    ['refused', {}, 'job.failed'],
    ['refused', { refusal: { ...refusal, rejectedTotal: 0 } }, 'job.cancelled'],
    ['merged', {}, 'job.completed'],
    ['merged', { result: { ...RESULT, succeeded: 2, failed: 1 } }, 'job.completed'],
    ['merged', { intent: CANCEL }, 'job.cancelled'],
    ['done', { filesLeft: 1 }, 'job.completed'],
  ] as const)('of one that is %s (%o) is %s', (status, changes, event) => {
    expect(callbackEventOf(told(status, changes))).toBe(event);
  });

  it('is none where nobody wants to know', () => {
    const silent = { ...SPEC, terms: { ...TERMS, callbackUrl: null } };
    expect(callbackEventOf(jobIn('done'))).toBeNull();
    expect(callbackEventOf(jobIn('done', { spec: silent }))).toBeNull();
  });
});

describe('what is told', () => {
  it('says the outcome and the counts, and nothing of requests or of the address', () => {
    const state = told('merged', { result: { ...RESULT, succeeded: 1, failed: 2 } });
    const body = callbackBody(state, 'job.completed', 1_700_000_000_000);
    expect(JSON.parse(body)).toStrictEqual({
      type: 'job.completed',
      timestamp: '2023-11-14T22:13:20.000Z',
      data: {
        job: JOB,
        name: 'requests.jsonl',
        status: 'completed_with_errors',
        counts: { total: 3, succeeded: 1, failed: 2, rejected: 0 },
        error: null,
        metadata: JSON.parse('{"team":"a","__proto__":"b"}') as unknown,
      },
    });
  });

  it('says why a job failed', () => {
    const body = JSON.parse(callbackBody(told('refused'), 'job.failed', 0)) as unknown;
    expect(body).toMatchObject({
      data: { status: 'failed', counts: null, error: { code: 'invalid_lines', message: '1 line' } },
    });
  });

  it('stays the same when the job is cleaned up', () => {
    const [merged, done] = [told('merged'), told('done')];
    const body = (state: JobState) => callbackBody(state, 'job.completed', 5);
    expect(body(done)).toBe(body(merged));
    expect(callbackId(done, 'job.completed')).toBe(callbackId(merged, 'job.completed'));
    expect(callbackId(done, 'job.completed')).toBe(`${JOB}_completed`);
  });
});

describe('the tries', () => {
  it('go on for a day, with waits that grow from seconds to hours', () => {
    const waits: number[] = [];
    for (let tries = 1; ; tries += 1) {
      const waitMs = callbackWaitMs(tries, 0);
      if (waitMs === null) break;
      waits.push(waitMs);
    }
    expect(waits.slice(0, 3)).toEqual([5_000, 30_000, 120_000]);
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    const hours = waits.reduce((sum, waitMs) => sum + waitMs, 0) / 3_600_000;
    expect(hours).toBeGreaterThanOrEqual(24);
    expect(hours).toBeLessThan(25);
  });

  it('are spread by up to a tenth', () => {
    expect(callbackWaitMs(2, 0.5)).toBe(31_500);
    expect(callbackWaitMs(2, 1)).toBe(33_000);
  });

  it.each([
    [200, 'delivered'],
    [204, 'delivered'],
    [299, 'delivered'],
    [301, 'failed'],
    [307, 'failed'],
    [400, 'failed'],
    [410, 'unwanted'],
    [500, 'failed'],
  ])('take HTTP %i for %s', (status, verdict) => {
    expect(callbackVerdict(status)).toBe(verdict);
  });
});
