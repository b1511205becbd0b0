import { describe, expect, it } from 'vitest';
import type { z } from 'zod';

import { createBatch } from '../../src/http/contract/openai.ts';
import { createJob, listJobs, retryJob } from '../../src/http/contract/jobs.ts';
import { Problem } from '../../src/http/problem.ts';
import { queryOf } from '../../src/http/query.ts';
import { validated } from '../../src/http/validate.ts';

function refusalOf(schema: z.ZodType | undefined, value: unknown, where: 'query' | 'body') {
  if (schema === undefined) throw new Error('the route has no such schema');
  try {
    validated(schema, value, where);
  } catch (error) {
    if (error instanceof Problem) return [error.code, error.param, error.message];
    throw error;
  }
  throw new Error('it is taken');
}

describe('what is wrong with a query', () => {
  it.each([
    ['name=', 'name', "Invalid value for 'name': it must have at least 1 character."],
    ['limit=0', 'limit', "Invalid value for 'limit': it must be at least 1."],
    ['limit=x', 'limit', "Invalid value for 'limit': it must be a whole number from 1 to 100."],
    [
      'metadata[]=a',
      'metadata',
      "Invalid value for 'metadata': it has a name that must have at least 1 character.",
    ],
    ['on_invalid=x', 'on_invalid', "Invalid value for 'on_invalid': it must be one of fail, skip."],
  ])('is said in a plain sentence: %s', (query, param, message) => {
    const schema = query.startsWith('limit') ? listJobs.query : createJob.query;
    const refusal = refusalOf(schema, queryOf(`/?${query}`), 'query');
    expect(refusal).toEqual(['invalid_value', param, message]);
  });
});

describe('what is wrong with a body', () => {
  const batch = { input_file_id: 'file-1', endpoint: '/v1/responses', completion_window: '24h' };

  it.each([
    [
      { ...batch, metadata: { a: 1 } },
      ['invalid_type', 'metadata.a', "Invalid type for 'metadata.a': it must be a string."],
    ],
    [
      { ...batch, completion_window: '7d' },
      [
        'invalid_value',
        'completion_window',
        "Invalid value for 'completion_window': it must be 24h.",
      ],
    ],
    [[], ['invalid_type', null, 'Invalid type for the body: it must be an object.']],
  ])('is said in a plain sentence: %j', (body, expected) => {
    expect(refusalOf(createBatch.body?.json, body, 'body')).toEqual(expected);
  });

  it('names how many items a list must hold', () => {
    expect(refusalOf(retryJob.body?.json, { classes: [] }, 'body')).toEqual([
      'invalid_value',
      'classes',
      "Invalid value for 'classes': it must hold at least 1 item.",
    ]);
  });
});
