import { expect, it } from 'vitest';

import { madeAtMs, parseJobId } from '../../src/domain/ids.ts';
import { openName } from '../../src/stages/names.ts';
import { withdrawUnopened } from '../../src/service/unopened.ts';
import { eventually } from '../support/program.ts';
import { call, openServiceScene } from '../support/service.ts';
import { asInput, requestLine } from '../support/sets.ts';

const HOUR_MS = 3_600_000;

it('withdraws a job whose submitter died before anybody knew it, and no other', async () => {
  const { url, store, house, simulator } = await openServiceScene({ workers: false });
  const submit = async () => {
    const body = asInput([requestLine('a')]);
    const headers = { 'content-type': 'application/jsonl' };
    const { json } = await call('POST', `${url}/v1/jobs`, { body, headers });
    const id = parseJobId(String(json['id']));
    if (id === null) throw new Error('the answer names a job');
    return id;
  };
  const [known, lost] = [await submit(), await submit()];
  // As a kill between the job and its mark leaves it.
  await store.blobs.delete(openName(lost));
  expect((await call('GET', `${url}/v1/jobs/${lost}`)).status).toBe(404);

  const madeMs = madeAtMs(lost);
  expect(Math.abs(madeMs - Date.now())).toBeLessThan(60_000);
  expect(await withdrawUnopened(store, madeMs + HOUR_MS / 2)).toBe(0);
  expect(await withdrawUnopened(store, madeMs + 2 * HOUR_MS)).toBe(1);
  expect(await withdrawUnopened(store, madeMs + 2 * HOUR_MS)).toBe(0);
  const workers = await house.start(['plan']);
  await eventually(async () => {
    const { json } = await call('GET', `${url}/v1/jobs/${lost}`);
    expect(json).toMatchObject({ status: 'cancelled', refusal: { code: 'job_cancelled' } });
  });
  await workers.stop(2_000);
  expect((await call('GET', `${url}/v1/jobs/${known}`)).json['status']).not.toBe('cancelled');
  expect((await call('GET', `${simulator.url}/files`)).json['data']).toEqual([]);
});
