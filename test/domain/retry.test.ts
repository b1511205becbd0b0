import { describe, expect, it, test } from 'vitest';
import { JOB_CANCELLED } from '../../src/domain/chunk.ts';
import type { EndedBatch, ValidationError } from '../../src/domain/chunk.ts';
import { Weather } from '../../src/domain/errors.ts';
import type { WeatherDetails } from '../../src/domain/errors.ts';
import type { AttemptOutcome } from '../../src/domain/retry.ts';
import {
  accountTrouble,
  afterAttempt,
  afterWeather,
  grow,
  saysFileMissing,
} from '../../src/domain/retry.ts';
import { ENDED } from './support/samples.ts';

const POLICY = {
  weatherBaseMs: 100,
  weatherMaxMs: 1_000,
  attemptPauseMs: 50,
  tokenPauseBaseMs: 200,
  tokenPauseMaxMs: 3_000,
};

const OUTCOME: AttemptOutcome = {
  batch: ENDED,
  tally: { succeeded: 1, failed: 0, pending: 2 },
  sent: 3,
  cancelled: false,
  quota: false,
  executed: 0,
  recuts: 0,
  pauses: 0,
  maxAttempts: 3,
};

function after(changes: Partial<AttemptOutcome>) {
  return afterAttempt({ ...OUTCOME, ...changes }, POLICY);
}

function failed(...errors: Partial<ValidationError>[]): EndedBatch {
  const full = errors.map((error) => ({
    code: 'invalid_url',
    message: 'bad',
    line: null,
    ...error,
  }));
  return { ...ENDED, status: 'failed', outputFileId: null, errors: full };
}

describe('an attempt that was executed', () => {
  const done = { succeeded: 3, failed: 0, pending: 0 };

  it('settles the chunk where nothing is pending', () => {
    expect(after({ tally: done })).toEqual({
      burned: 'executed',
      next: { kind: 'settle', close: null },
    });
  });

  test.each(['completed', 'expired', 'cancelled'] as const)(
    'sends what is missing again after a batch that %s',
    (status) => {
      const { burned, next } = after({ batch: { ...ENDED, status } });
      expect(burned).toBe('executed');
      expect(next).toEqual({ kind: 'again', pauseMs: 50, reason: 'attempt 2 of 3' });
    },
  );

  it('ends with attempts_exhausted after the last one, and not before', () => {
    expect(after({ executed: 1 }).next.kind).toBe('again');
    const close = { code: 'attempts_exhausted', message: 'No answer after 3 attempts.' };
    expect(after({ executed: 2 }).next).toEqual({ kind: 'settle', close });
    expect(after({ maxAttempts: 1 }).next).toMatchObject({
      close: { message: 'No answer after 1 attempt.' },
    });
  });

  it('goes again only after the job was held where the account has no credit left', () => {
    const { burned, next } = after({ quota: true, executed: 2 });
    expect(burned).toBe('pause');
    expect(next).toMatchObject({ kind: 'again', trouble: { code: 'insufficient_quota' } });
    expect(after({ quota: true, cancelled: true }).next.kind).toBe('settle');
    expect(after({}).next).not.toHaveProperty('trouble');
  });

  it('settles a cancelled chunk with what is there', () => {
    expect(after({ cancelled: true }).next).toEqual({ kind: 'settle', close: JOB_CANCELLED });
    expect(after({ cancelled: true, tally: done }).next).toEqual({ kind: 'settle', close: null });
  });
});

describe('an attempt that failed validation', () => {
  it('goes again without its bad lines, and burns no attempt', () => {
    const result = after({ batch: failed({ line: 2 }), sent: 100 });
    expect(result.burned).toBe('recut');
    expect(result.next).toMatchObject({ kind: 'again', pauseMs: 50 });
  });

  it('is given up with the third failure', () => {
    expect(after({ batch: failed({ line: 2 }), recuts: 1 }).next.kind).toBe('again');
    expect(after({ batch: failed({ line: 2 }), recuts: 2 }).next).toEqual({
      kind: 'settle',
      close: { code: 'invalid_url', message: 'bad' },
    });
  });

  it('is given up where more than a tenth of its lines is bad', () => {
    const lines = (count: number) =>
      Array.from({ length: count }, (_, line) => ({ line: line + 1 }));
    expect(after({ batch: failed(...lines(10)), sent: 100 }).next.kind).toBe('again');
    expect(after({ batch: failed(...lines(11)), sent: 100 }).next.kind).toBe('settle');
    expect(after({ batch: failed({ line: 1 }), sent: 3 }).next.kind).toBe('again');
    expect(after({ batch: failed({ line: 1 }, { line: 1 }), sent: 3 }).next.kind).toBe('again');
  });

  test.each(['model_not_found', 'invalid_model', 'model_mismatch'])(
    'is given up at once where %s: no cut can mend that',
    (code) => {
      const batch = failed({ line: 1 }, { code, message: 'no such model' });
      expect(after({ batch, sent: 1_000 }).next).toEqual({
        kind: 'settle',
        close: { code, message: 'no such model' },
      });
    },
  );

  it('waits longer and longer for room in the token queue, and burns nothing', () => {
    const batch = failed({ code: 'token_limit_exceeded' });
    const pauses = [0, 1, 2, 3, 4, 50].map((count) => after({ batch, pauses: count, recuts: 2 }));
    expect(pauses.map(({ burned }) => burned)).toEqual(Array.from({ length: 6 }, () => 'pause'));
    expect(pauses.map(({ next }) => next.kind === 'again' && next.pauseMs)).toEqual([
      200, 400, 800, 1_600, 3_000, 3_000,
    ]);
  });

  it('settles where only bad lines were left, and where it is cancelled', () => {
    const tally = { succeeded: 2, failed: 1, pending: 0 };
    expect(after({ batch: failed({ line: 1 }), tally }).next).toEqual({
      kind: 'settle',
      close: null,
    });
    const batch = failed({ code: 'token_limit_exceeded' });
    expect(after({ batch, cancelled: true }).next).toEqual({
      kind: 'settle',
      close: JOB_CANCELLED,
    });
  });

  it('has a reason even where the provider gives none', () => {
    expect(after({ batch: failed(), recuts: 2 }).next).toMatchObject({
      close: { code: 'batch_failed' },
    });
  });
});

function weather(details: Partial<WeatherDetails>): Weather {
  const calm = {
    kind: 'transient',
    status: null,
    code: null,
    message: 'm',
    retryAfterMs: null,
  } as const;
  return new Weather({ ...calm, ...details });
}

describe('weather around other calls than a create', () => {
  it('is waited for, twice as long each time, up to a limit', () => {
    const waits = [0, 1, 2, 3, 4, 99].map((failures) =>
      afterWeather(weather({}), failures, POLICY),
    );
    expect(waits.map((wait) => wait.kind === 'later' && wait.delayMs)).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ]);
    expect(afterWeather(weather({ kind: 'unknown' }), 0, POLICY).kind).toBe('later');
  });

  it('is waited for as long as the provider says, however long', () => {
    const late = weather({ status: 429, retryAfterMs: 90_000 });
    expect(afterWeather(late, 0, POLICY)).toEqual({ kind: 'later', delayMs: 90_000 });
  });

  it('holds the job where it is for good', () => {
    const refused = weather({ kind: 'permanent', status: 400, message: 'no' });
    expect(afterWeather(refused, 0, POLICY)).toEqual({
      kind: 'hold',
      code: 'provider_refused',
      message: 'no',
    });
  });

  test.each([
    [{ status: 401 }, 'unauthorized'],
    [{ status: 403 }, 'unauthorized'],
    [{ status: 429, code: 'insufficient_quota' }, 'insufficient_quota'],
    [{ status: 400, code: 'billing_hard_limit_reached' }, 'insufficient_quota'],
  ])('%o holds the job as %s', (details, code) => {
    expect(accountTrouble(weather(details))).toMatchObject({ kind: 'hold', code });
    expect(afterWeather(weather(details), 0, POLICY)).toMatchObject({ kind: 'hold', code });
  });

  it('is no trouble of the account otherwise', () => {
    for (const status of [400, 404, 409, 429, 500]) {
      expect(accountTrouble(weather({ status }))).toBeNull();
    }
  });
});

describe('a create that does not see its input file', () => {
  test.each([
    [400, 'Cannot find file file-1, or organization org-1 does not have access to it.', true],
    [404, 'No such File object: it does not exist', true],
    [400, 'Invalid endpoint', false],
    [500, 'Cannot find file file-1', false],
    [400, 'The file is too large', false],
  ])('%i %s: %s', (status, message, missing) => {
    expect(saysFileMissing(weather({ kind: 'permanent', status, message }))).toBe(missing);
  });
});

test('growing never overflows', () => {
  expect(grow(1, 1e12, 1_000)).toBe(2 ** 30);
  expect(grow(1_000, 5_000, 1_000)).toBe(5_000);
});
