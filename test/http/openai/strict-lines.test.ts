import { expect, it } from 'vitest';

import { call } from '../../support/service.ts';
import { requestLine } from '../../support/sets.ts';
import { CHAT, openDoor } from './door.ts';

it('a batch fails for lines that leave out what is asked for; the own API inserts it', async () => {
  const { run, client, url, upload } = await openDoor();
  const [model, messages] = ['gpt-4o-mini', [{ role: 'user', content: 'x' }]];
  const lines = [
    requestLine('a', model, { custom_id: undefined }),
    requestLine('b', model, { method: undefined }),
    requestLine('c', model, { url: undefined }),
    requestLine('d', model, { body: { model } }),
    requestLine('e', model, { body: { messages } }),
  ];
  const batch = await run(lines);
  const found = batch.errors?.data?.map(({ line, code, param }) => [line, code, param]);
  expect([batch.status, found]).toEqual([
    'failed',
    [
      [1, 'missing_required_parameter', 'custom_id'],
      [2, 'missing_required_parameter', 'method'],
      [3, 'missing_required_parameter', 'url'],
      [4, 'invalid_request', 'body.messages'],
      [5, 'invalid_request', 'body.model'],
    ],
  ]);
  const responses = JSON.stringify({
    custom_id: 'a',
    method: 'POST',
    url: '/v1/responses',
    body: { model },
  });
  const second = await run([responses], { endpoint: '/v1/responses' });
  expect([second.status, second.errors?.data]).toMatchObject([
    'failed',
    [{ line: 1, code: 'invalid_request', param: 'body.input' }],
  ]);
  expect((await client.files.list({ purpose: 'batch_output' })).data).toEqual([]);
  const { id } = await upload(lines.slice(0, 4));
  const dry = await call('POST', `${url}/v1/jobs`, {
    body: { input_file_id: id, endpoint: CHAT, dry_run: true },
  });
  expect(dry.json).toMatchObject({ would_be_sent: true, counts: { requests: 4 } });
});
