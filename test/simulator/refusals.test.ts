import { describe, expect, test } from 'vitest';

import {
  chatLine,
  chatLines,
  createBatch,
  HOUR_MS,
  openWorld,
  runBatch,
  upload,
} from './support/world.ts';

describe('a create', () => {
  const good = { input_file_id: 'file-x', endpoint: '/v1/responses', completion_window: '24h' };
  const cases: [string, object | string, Record<string, unknown>][] = [
    [
      'without an input file',
      { ...good, input_file_id: undefined },
      {
        code: 'missing_required_parameter',
        message: "Missing required parameter: 'input_file_id'.",
      },
    ],
    ['without an endpoint', { ...good, endpoint: '' }, { param: 'endpoint' }],
    ['without a window', { ...good, completion_window: null }, { param: 'completion_window' }],
    [
      'for a bad endpoint',
      { ...good, endpoint: '/v1/x' },
      { code: 'invalid_value', param: 'endpoint' },
    ],
    ['for a bad window', { ...good, completion_window: '7d' }, { param: 'completion_window' }],
    [
      'with a number as metadata',
      { ...good, metadata: { n: 1 } },
      { code: 'invalid_type', param: 'metadata.n' },
    ],
    ['with long metadata', { ...good, metadata: { k: 'v'.repeat(513) } }, { param: 'metadata.k' }],
    [
      'with much metadata',
      { ...good, metadata: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [n, 'v'])) },
      { param: 'metadata' },
    ],
    [
      'with a bad output expiry',
      { ...good, output_expires_after: { anchor: 'created_at', seconds: 1 } },
      { param: 'output_expires_after.seconds' },
    ],
    ['with a body that is not JSON', '{"a":', { type: 'invalid_request_error' }],
  ];
  for (const [title, body, error] of cases) {
    test(`is refused at once ${title}`, async () => {
      const { simulator } = await openWorld();
      const answer = await fetch(`${simulator.url}/batches`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ error });
      expect(simulator.controls.batches()).toEqual([]);
    });
  }
});

test('an unknown input file is accepted with 200 and fails later', async () => {
  const { client, simulator } = await openWorld();
  const { id, status } = await createBatch(client, 'file-unknown');
  expect(status).toBe('validating');
  await simulator.controls.advance(HOUR_MS);
  expect(await client.batches.retrieve(id)).toMatchObject({
    status: 'failed',
    failed_at: expect.any(Number),
    errors: { object: 'list', data: [{ code: 'invalid_request', param: 'file_id' }] },
  });
});

test('unknown batches and bad limits are refused', async () => {
  const { client } = await openWorld();
  await expect(client.batches.retrieve('batch_0')).rejects.toMatchObject({ status: 404 });
  await expect(client.batches.cancel('batch_0')).rejects.toMatchObject({ status: 404 });
  await expect(client.batches.list({ limit: 101 })).rejects.toMatchObject({ status: 400 });
  await expect(client.batches.list({ after: 'batch_0' })).rejects.toMatchObject({ status: 400 });
});

test('more creates than an hour allows are answered with 429 for that hour', async () => {
  const { client, simulator } = await openWorld({ limits: { createsPerHour: 2 } });
  const file = await upload(client, chatLines(1));
  await createBatch(client, file.id);
  await createBatch(client, file.id);
  await expect(createBatch(client, file.id)).rejects.toMatchObject({
    status: 429,
    code: 'rate_limit_exceeded',
  });
  await simulator.controls.advance(HOUR_MS + 1000);
  expect((await createBatch(client, file.id)).status).toBe('validating');
});

test('keys are checked where the world has some', async () => {
  const { simulator } = await openWorld({ apiKeys: ['sk-good'] });
  const statuses: number[] = [];
  for (const authorization of ['Bearer sk-good', 'Bearer sk-bad', '']) {
    const answer = await fetch(`${simulator.url}/batches`, { headers: { authorization } });
    statuses.push(answer.status);
  }
  expect(statuses).toEqual([200, 401, 401]);
});

describe('a batch', () => {
  const other = chatLine('b').replace('gpt-4o-mini', 'gpt-4o');
  const cases: [string, string, Record<string, unknown>][] = [
    ['for a line that does not parse', '{"a":', { code: 'invalid_json_line', param: null }],
    ['for a line that is no object', '[1]', { code: 'invalid_json_line' }],
    ['for an empty line', '', { code: 'invalid_json_line' }],
    ...(['custom_id', 'method', 'url', 'body'].map((field): [string, string, object] => [
      `for a line without ${field}`,
      JSON.stringify({ ...(JSON.parse(chatLine('b')) as object), [field]: undefined }),
      { code: 'missing_required_parameter', param: field },
    ]) as [string, string, Record<string, unknown>][]),
    [
      'for no model',
      chatLine('b', { model: undefined }),
      { code: 'invalid_request', param: 'body.model' },
    ],
    ['for no messages', chatLine('b', { messages: undefined }), { param: 'body.messages' }],
    ['for another url', chatLine('b').replace('chat/', ''), { code: 'invalid_url', param: 'url' }],
    [
      'for a stream',
      chatLine('b', { stream: true }),
      { code: 'streaming_unsupported', param: 'body.stream' },
    ],
    ['for an id that stands twice', chatLine('a'), { code: 'duplicate_custom_id' }],
    ['for a second model', other, { code: 'mismatched_model' }],
  ];
  for (const [title, line, finding] of cases) {
    test(`fails its validation ${title}`, async () => {
      const world = await openWorld();
      const batch = await runBatch(world, [chatLine('a'), line, chatLine('z')]);
      expect(batch.status).toBe('failed');
      expect(batch.errors?.data).toMatchObject([{ ...finding, line: 2 }]);
      expect(batch).toMatchObject({ output_file_id: null, error_file_id: null });
      expect(world.simulator.ledger.totals().requestsExecuted).toBe(0);
    });
  }

  test('fails its validation with all its bad lines listed, up to a limit', async () => {
    const world = await openWorld({ limits: { listedErrors: 3 } });
    const batch = await runBatch(world, [chatLine('a'), '1', '2', chatLine('b'), '3', '4']);
    expect(batch.errors?.data?.map(({ line }) => line)).toEqual([2, 3, 5]);
  });

  test('fails its validation for a model that is not on offer', async () => {
    const world = await openWorld({ models: ['gpt-4o'] });
    const batch = await runBatch(world, [chatLine('a')]);
    expect(batch.errors?.data).toMatchObject([{ code: 'model_not_found', param: 'body.model' }]);
  });

  test('fails its validation for too many requests', async () => {
    const world = await openWorld({ limits: { maxRequests: 3 } });
    const batch = await runBatch(world, chatLines(4));
    expect(batch.errors?.data).toMatchObject([{ code: 'too_many_tasks', line: null }]);
  });

  test('fails its validation for too many embedding inputs over all its requests', async () => {
    const world = await openWorld({ limits: { maxInputs: 5 } });
    const body = { model: 'text-embedding-3-small', input: ['x', 'y', 'z'] };
    const lines = ['a', 'b'].map((customId) =>
      JSON.stringify({ custom_id: customId, method: 'POST', url: '/v1/embeddings', body }),
    );
    const batch = await runBatch(world, lines, { endpoint: '/v1/embeddings' });
    expect(batch.errors?.data).toMatchObject([{ param: 'body.input' }]);
    expect((await runBatch(world, lines.slice(1), { endpoint: '/v1/embeddings' })).status).toBe(
      'completed',
    );
  });
});

test('the enqueued tokens of a model are limited over all its live batches', async () => {
  const { client, simulator } = await openWorld({ limits: { enqueuedTokens: { '*': 300 } } });
  const file = await upload(client, chatLines(10));
  const first = await createBatch(client, file.id);
  const second = await createBatch(client, file.id);
  await simulator.controls.advance(45_000);
  const live = await client.batches.retrieve(first.id);
  const refused = await client.batches.retrieve(second.id);
  expect([live.status, refused.status].toSorted()).toEqual(['failed', 'in_progress']);
  const failed = live.status === 'failed' ? live : refused;
  expect(failed.errors?.data?.[0]).toMatchObject({ code: 'token_limit_exceeded', param: null });
  expect(failed.errors?.data?.[0]?.message).toMatch(
    /^Enqueued token limit reached for gpt-4o-mini in organization \S+\. Limit: 300 enqueued/,
  );
  await simulator.controls.advance(HOUR_MS);
  const third = await createBatch(client, file.id);
  await simulator.controls.advance(HOUR_MS);
  expect((await client.batches.retrieve(third.id)).status).toBe('completed');
});
