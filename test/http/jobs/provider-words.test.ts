import { expect, test } from 'vitest';

import type { NoticeCode } from '../../../src/domain/alert.ts';
import { NOTICES } from '../../../src/domain/alert.ts';
import { job as jobShape } from '../../../src/http/contract/job-shapes.ts';
import { wordsOfAlert } from '../../../src/http/jobs/trouble-words.ts';
import { manifestName } from '../../../src/stages/names.ts';
import { parseJobId } from '../../../src/domain/ids.ts';
import { eventually } from '../../support/program.ts';
import { call, openServiceScene } from '../../support/service.ts';
import type { ServiceScene } from '../../support/service.ts';
import { asInput, requestLine } from '../../support/sets.ts';
import { JSONL } from '../support/tenants.ts';

/** What only the operator is told: the provider's ids and words, settings, commands. */
const OPERATORS_WORDS = /batch_|file-|OPENAI|BATCHWRIGHT|batchwright|invalid_api_key|Incorrect/;

async function submitted({ url }: ServiceScene) {
  const body = asInput([requestLine('a'), requestLine('b')]);
  const { json } = await call('POST', `${url}/v1/jobs`, { body, headers: JSONL });
  const id = parseJobId(String(json['id']));
  if (id === null) throw new Error('no job was made');
  return { id, path: `${url}/v1/jobs/${id}` };
}

test('trouble with the provider is told in words that are for tenants', async () => {
  const scene = await openServiceScene({
    simulator: { faults: [{ name: 'create_unauthorized_401' }] },
  });
  const { id, path } = await submitted(scene);
  const shown = await eventually(async () => {
    const { json } = await call('GET', path);
    expect(json).toMatchObject({ status: 'paused', alerts: [{}] });
    return json;
  });
  const { paused, alerts } = jobShape.parse(shown);
  expect(paused).toEqual({
    code: 'unauthorized',
    message: 'The provider does not let the service in.',
  });
  expect(alerts).toMatchObject([{ code: 'unauthorized', message: paused?.message }]);
  expect(JSON.stringify({ paused, alerts })).not.toMatch(OPERATORS_WORDS);
  // The operator still has all of it.
  const state = await scene.store.views.job(id);
  if (state === null) throw new Error('the job is gone');
  const [kept] = await scene.store.alerts.current(state);
  expect(kept?.message).not.toBe(paused?.message);
});

test('no alert says what only its operator should read', () => {
  for (const code of Object.keys(NOTICES) as NoticeCode[]) {
    const { message, todo } = wordsOfAlert(code);
    expect(message + todo, code).not.toMatch(OPERATORS_WORDS);
    expect(todo, code).toMatch(/\.$/);
  }
});

test('a manifest names no batch of the provider where it is given out', async () => {
  const scene = await openServiceScene();
  const { id, path } = await submitted(scene);
  const answer = await eventually(async () => {
    const found = await call('GET', `${path}/manifest`);
    expect(found.status).toBe(200);
    return found;
  });
  const stored = (await scene.store.blobs.get(manifestName(id)))?.toString() ?? '';
  const { batches, ...rest } = JSON.parse(stored) as Record<string, unknown>;
  expect(batches).toEqual([expect.stringMatching(/^batch_/)]);
  expect(answer.json).toEqual(rest);
  expect(answer.text).not.toMatch(/batch_/);
});
