import { expect, test } from 'vitest';

import { eventually } from '../../support/program.ts';
import { call, openServiceScene } from '../../support/service.ts';
import { asInput, requestLine } from '../../support/sets.ts';

const JSONL = { 'content-type': 'application/jsonl' };

test('failed requests become a job of their own, once for each selection', async () => {
  const { url } = await openServiceScene({ simulator: { flakiness: { permanentRate: 0.3 } } });
  const ids = Array.from({ length: 20 }, (_, index) => `r-${index}`);
  const body = asInput(ids.map((id) => requestLine(id)));
  const query = 'name=evals&max_attempts=1&metadata%5Ba%5D=b';
  const first = await call('POST', `${url}/v1/jobs?${query}`, { body, headers: JSONL });
  const path = `${url}/v1/jobs/${String(first.json['id'])}`;
  const early = await call('POST', `${path}/retry`);
  expect([early.status, early.json['code']]).toEqual([409, 'not_finished']);
  const done = await eventually(async () => {
    const { json } = await call('GET', path);
    expect(json['status']).toBe('completed_with_errors');
    return json;
  });
  const { failed } = done['counts'] as { failed: number };
  expect(failed).toBeGreaterThan(0);

  const retry = await call('POST', `${path}/retry`, { body: { all: true } });
  expect(retry.status).toBe(202);
  expect(retry.json).toMatchObject({
    name: 'retry of evals',
    retry_of: first.json['id'],
    metadata: { a: 'b' },
  });
  expect(retry.headers.get('location')).toBe(`/v1/jobs/${String(retry.json['id'])}`);
  const again = await call('POST', `${path}/retry`, { body: { all: true } });
  expect(again.json['id']).toBe(retry.json['id']);
  await eventually(async () => {
    const { json } = await call('GET', `${url}/v1/jobs/${String(retry.json['id'])}`);
    expect(json['finished_at']).not.toBeNull();
    expect(json['counts']).toMatchObject({ total: failed });
  });
  const none = await call('POST', `${path}/retry`, { body: { classes: ['batch_expired'] } });
  expect([none.status, none.json['code']]).toEqual([409, 'nothing_to_retry']);
  const both = await call('POST', `${path}/retry`, { body: { classes: ['x'], all: true } });
  expect(both.status).toBe(400);
  const jobs = await call('GET', `${url}/v1/jobs`);
  expect(jobs.json['data']).toHaveLength(2);
});
