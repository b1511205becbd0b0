import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { limitRules } from '../../src/compose.ts';
import { parseJobId } from '../../src/domain/ids.ts';
import { RequestSets } from '../../src/service/request-sets.ts';
import { eventually } from '../support/program.ts';
import { call, openServiceScene } from '../support/service.ts';
import { asInput, requestLine } from '../support/sets.ts';

it('knows a request set again that was planned, and went, while it was compared', async () => {
  const { url, store, config, house } = await openServiceScene({ workers: false });
  const body = asInput([requestLine('a'), requestLine('b')]);
  const headers = { 'content-type': 'application/jsonl' };
  const { json } = await call('POST', `${url}/v1/jobs`, { body, headers });
  const id = parseJobId(String(json['id']));
  if (id === null) throw new Error('the answer names a job');
  const load = async () => {
    const state = await store.views.job(id);
    if (state === null) throw new Error('the job is there');
    return state;
  };
  const created = await load();
  const workers = await house.start(['plan']);
  await eventually(async () => expect((await load()).status).toBe('planned'));
  await workers.stop(2_000);

  const sets = new RequestSets({ ...store, rules: limitRules(config) });
  const kept = async (text: string) =>
    sets.inFolder(async (folder) => {
      const path = join(folder, 'body');
      await writeFile(path, text);
      return sets.keep(sets.newJob(), path, Buffer.byteLength(text));
    });
  expect(await sets.isSame(created, await kept(body), load)).toBe(true);
  expect(await sets.isSame(created, await kept(body.replace('a', 'b')), load)).toBe(false);
});
