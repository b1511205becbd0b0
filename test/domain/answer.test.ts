import { describe, expect, test } from 'vitest';
import { classifyAnswer, classifyOwnFailure } from '../../src/domain/answer.ts';
import type { AnswerFacts } from '../../src/domain/answer.ts';

function facts(some: Partial<AnswerFacts>): AnswerFacts {
  return { statusCode: null, errorCode: null, bodyErrorCode: null, hasBody: false, ...some };
}

describe('classifyAnswer', () => {
  test('keeps a 2xx answer with a body and no error', () => {
    for (const statusCode of [200, 201, 299]) {
      const answer = classifyAnswer(facts({ statusCode, hasBody: true }));
      expect(answer).toEqual({ kind: 'success', class: 'ok' });
    }
  });

  test('keeps a body without any status: it was paid for', () => {
    expect(classifyAnswer(facts({ hasBody: true })).kind).toBe('success');
  });

  test.each([408, 409, 425, 429, 500, 502, 503, 529, 599, 0])(
    'asks again after status %i',
    (statusCode) => {
      const answer = classifyAnswer(facts({ statusCode, hasBody: true, bodyErrorCode: '' }));
      expect(answer).toEqual({ kind: 'again', class: String(statusCode) });
    },
  );

  test.each([400, 401, 403, 404, 413, 422, 499])('takes status %i as final', (statusCode) => {
    const answer = classifyAnswer(facts({ statusCode, hasBody: true, bodyErrorCode: 'some_code' }));
    expect(answer).toEqual({ kind: 'final', class: `${statusCode} some_code` });
  });

  test.each(['batch_expired', 'batch_cancelled', 'request_timeout'])(
    'asks again after %s, whatever status stands beside it',
    (errorCode) => {
      for (const statusCode of [null, 0, 400, 200]) {
        const answer = classifyAnswer(facts({ statusCode, errorCode }));
        expect(answer).toEqual({ kind: 'again', class: errorCode });
      }
    },
  );

  test('tells that the account has to be paid up, wherever the code stands', () => {
    const inBody = facts({ statusCode: 429, hasBody: true, bodyErrorCode: 'insufficient_quota' });
    expect(classifyAnswer(inBody)).toEqual({ kind: 'quota', class: '429 insufficient_quota' });
    const onTop = facts({ errorCode: 'billing_hard_limit_reached' });
    expect(classifyAnswer(onTop)).toEqual({ kind: 'quota', class: 'billing_hard_limit_reached' });
  });

  test('asks again where a 2xx answer holds an error or no body', () => {
    const withError = facts({ statusCode: 200, hasBody: true, bodyErrorCode: 'server_error' });
    expect(classifyAnswer(withError)).toEqual({ kind: 'again', class: '200 server_error' });
    const empty = classifyAnswer(facts({ statusCode: 200 }));
    expect(empty).toEqual({ kind: 'again', class: '200 no_body' });
  });

  test('asks again where the line says nothing, or an error that nobody knows', () => {
    expect(classifyAnswer(facts({}))).toEqual({ kind: 'again', class: 'no_response' });
    expect(classifyAnswer(facts({ errorCode: '' }))).toEqual({ kind: 'again', class: 'error' });
    const unknown = classifyAnswer(facts({ errorCode: 'internal_error' }));
    expect(unknown).toEqual({ kind: 'again', class: 'internal_error' });
  });

  test('makes a short label of any code', () => {
    const wild = facts({ statusCode: 400, bodyErrorCode: `a b\n"c" ${'x'.repeat(500)}` });
    expect(classifyAnswer(wild).class).toMatch(/^400 a_b_c_x+$/);
    expect(classifyAnswer(wild).class.length).toBeLessThanOrEqual(68);
  });
});

describe('classifyOwnFailure', () => {
  test.each(['attempts_exhausted', 'job_cancelled', 'output_lost'])(
    'says that %s may be asked again',
    (code) => {
      expect(classifyOwnFailure(code)).toEqual({ kind: 'again', class: code });
    },
  );

  test.each(['invalid_json', 'duplicate_custom_id', 'model_not_found', ''])(
    'says that another try does not help with "%s"',
    (code) => {
      expect(classifyOwnFailure(code).kind).toBe('final');
    },
  );
});
