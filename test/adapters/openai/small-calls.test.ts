import { expect, test } from 'vitest';
import {
  answer,
  batchJson,
  providerAt,
  stageAnswering,
  stageOfSockets,
  stageWith,
  unusedBaseUrl,
  weatherAfter,
} from './stage.ts';

const REFUSAL = { error: { message: 'No.', type: 'invalid_request_error', code: null } };

test.each([408, 409, 425, 429, 499, 500, 502, 503, 504])(
  'a read that is answered by %i may be repeated',
  async (status) => {
    const stage = await stageWith(status, REFUSAL);
    const weather = await weatherAfter(providerAt(stage.baseUrl).retrieveBatch('batch_1'));
    expect(weather).toMatchObject({ kind: 'transient', status, code: 'invalid_request_error' });
    expect(stage.seen).toHaveLength(1);
  },
);

test.each([301, 400, 401, 403, 404, 422])(
  'a read that is answered by %i is of no use to repeat',
  async (status) => {
    const stage = await stageWith(status, REFUSAL, { location: '/v1/elsewhere' });
    const weather = await weatherAfter(providerAt(stage.baseUrl).retrieveBatch('batch_1'));
    expect(weather).toMatchObject({ kind: 'permanent', status });
    expect(stage.seen).toHaveLength(1);
  },
);

test('reads that the network or a cut body ends may be repeated', async () => {
  const reset = await stageOfSockets((socket) =>
    socket.once('data', () => socket.resetAndDestroy()),
  );
  const cut = await stageWith(200, '{"id":"batch_1"');
  const silent = await stageOfSockets(() => {});
  const after = (baseUrl: string, callMs = 20_000) => {
    const timeouts = { callMs, stallMs: 20_000, answerMs: 20_000 };
    return weatherAfter(providerAt(baseUrl, { timeouts }).retrieveBatch('batch_1'));
  };
  expect(await after(reset.baseUrl)).toMatchObject({ kind: 'transient', code: 'ECONNRESET' });
  expect(await after(cut.baseUrl)).toMatchObject({ kind: 'transient', status: 200 });
  expect(await after(silent.baseUrl, 100)).toMatchObject({ kind: 'transient', code: 'ETIMEDOUT' });
  expect(await after(await unusedBaseUrl())).toMatchObject({
    kind: 'transient',
    code: 'ECONNREFUSED',
  });
});

test('the path prefix and the query of a base URL are kept', async () => {
  const stage = await stageWith(200, batchJson());
  const prefixed = stage.baseUrl.replace('/v1', '/openai/v1/');
  await providerAt(prefixed).retrieveBatch('batch_1');
  await providerAt(`${prefixed}?api-version=preview`).retrieveBatch('batch_1');
  expect(stage.seen.map((seen) => seen.url)).toEqual([
    '/openai/v1/batches/batch_1',
    '/openai/v1/batches/batch_1?api-version=preview',
  ]);
});

test('neither organisation nor project is sent where there is none', async () => {
  const stage = await stageWith(200, batchJson());
  await providerAt(stage.baseUrl, { organization: null, project: null }).retrieveBatch('batch_1');
  expect(stage.seen[0]?.headers).not.toHaveProperty('openai-organization');
  expect(stage.seen[0]?.headers).not.toHaveProperty('openai-project');
});

test('a list is asked for in pages of a hundred, after its cursor', async () => {
  const stage = await stageAnswering((response, seen) => {
    const isFirst = !seen.url.includes('after=');
    answer(response, 200, {
      object: 'list',
      data: [batchJson({ id: isFirst ? 'batch_2' : 'batch_1' })],
      last_id: isFirst ? 'batch_2' : 'batch_1',
      has_more: isFirst,
    });
  });
  const provider = providerAt(stage.baseUrl);
  const first = await provider.listBatches(null);
  const second = await provider.listBatches(first.next);
  expect([first.next, second.next]).toEqual(['batch_2', null]);
  expect([...first.batches, ...second.batches].map(({ id }) => id)).toEqual(['batch_2', 'batch_1']);
  expect(stage.seen.map((seen) => seen.url)).toEqual([
    '/v1/batches?limit=100',
    '/v1/batches?limit=100&after=batch_2',
  ]);
});

test.each([
  ['HTML', '<html>fine</html>'],
  ['an object without data', {}],
  ['data null outside a list', { data: null }],
  ['an item without an id', { object: 'list', data: [{ status: 'completed' }] }],
  ['an item that is null', { object: 'list', data: [null] }],
  ['no items but more to come', { object: 'list', data: [], has_more: true }],
  ['an error in its envelope', REFUSAL],
])('a list with %s is never taken for a list without the batch', async (_what, body) => {
  const stage = await stageWith(200, body);
  const weather = await weatherAfter(providerAt(stage.baseUrl).listBatches(null));
  expect(weather).toMatchObject({ kind: 'transient', status: 200 });
});

test('a list that goes on with the page before is refused, not followed for ever', async () => {
  const stage = await stageWith(200, { data: [batchJson()], last_id: 'batch_1', has_more: true });
  const provider = providerAt(stage.baseUrl);
  expect((await provider.listBatches(null)).next).toBe('batch_1');
  expect(await weatherAfter(provider.listBatches('batch_1'))).toMatchObject({ kind: 'transient' });
});

test('servers that know no cursors give all in one page', async () => {
  const many = Array.from({ length: 130 }, (_, index) => batchJson({ id: `batch_${index}` }));
  const stage = await stageWith(200, many);
  const provider = providerAt(stage.baseUrl);
  const first = await provider.listBatches(null);
  expect(first.batches).toHaveLength(130);
  expect(first.next).toBe('batch_129');
  expect((await provider.listBatches(first.next)).next).toBeNull();
  const empty = await stageWith(200, { object: 'list', data: null });
  expect(await providerAt(empty.baseUrl).listBatches(null)).toEqual({ batches: [], next: null });
});

test('files are listed by the purpose of the profile', async () => {
  const file = { id: 'file-1', filename: 'a.jsonl', bytes: 7, created_at: 5, purpose: 'batch-api' };
  const stage = await stageWith(200, { object: 'list', data: [file], has_more: false });
  const profile = { filePurpose: 'batch-api', uploadExpiry: 'never' } as const;
  const page = await providerAt(stage.baseUrl, { profile }).listFiles('file-0');
  expect(page).toEqual({
    files: [{ id: 'file-1', filename: 'a.jsonl', sizeBytes: 7, createdAtMs: 5_000 }],
    next: null,
  });
  expect(stage.seen[0]?.url).toBe('/v1/files?purpose=batch-api&limit=100&after=file-0');
});

test('a cancelled batch comes back, and a 409 says that there is nothing to cancel', async () => {
  const message = "Cannot cancel a batch with status 'completed'.";
  const stage = await stageAnswering((response, _seen, count) => {
    if (count === 1) answer(response, 200, batchJson({ status: 'CANCELLING' }));
    else answer(response, 409, { error: { message } });
  });
  const provider = providerAt(stage.baseUrl);
  expect((await provider.cancelBatch('batch_1')).status).toBe('cancelling');
  const weather = await weatherAfter(provider.cancelBatch('batch_1'));
  expect(weather).toMatchObject({ kind: 'permanent', status: 409 });
  expect(weather.message).toContain(message);
  expect(stage.seen[0]).toMatchObject({ method: 'POST', url: '/v1/batches/batch_1/cancel' });
});

test('an unknown file is null, and an unknown file is deleted already', async () => {
  const stage = await stageWith(404, REFUSAL);
  const provider = providerAt(stage.baseUrl);
  expect(await provider.retrieveFile('file-1')).toBeNull();
  await provider.deleteFile('file-1');
  expect(stage.seen.map((seen) => `${seen.method} ${seen.url}`)).toEqual([
    'GET /v1/files/file-1',
    'DELETE /v1/files/file-1',
  ]);
});

test('a deletion counts when the server says so or says nothing, not when it says no', async () => {
  const stage = await stageAnswering((response, _seen, count) => {
    if (count === 1) answer(response, 200, { id: 'file-1', deleted: true });
    if (count === 2) response.writeHead(204).end();
    if (count === 3) answer(response, 200, { id: 'file-1', deleted: false });
    if (count === 4) answer(response, 200, '<html>');
    if (count === 5) answer(response, 403, REFUSAL);
  });
  const provider = providerAt(stage.baseUrl);
  await provider.deleteFile('file-1');
  await provider.deleteFile('file-1');
  expect(await weatherAfter(provider.deleteFile('file-1'))).toMatchObject({ kind: 'transient' });
  expect(await weatherAfter(provider.deleteFile('file-1'))).toMatchObject({ kind: 'transient' });
  expect(await weatherAfter(provider.deleteFile('file-1'))).toMatchObject({ kind: 'permanent' });
});

test.each(['', '.', '..'])('the id %j crashes before anything is asked', async (id) => {
  const stage = await stageWith(200, batchJson());
  const provider = providerAt(stage.baseUrl);
  const calls = [
    provider.retrieveBatch(id),
    provider.cancelBatch(id),
    provider.retrieveFile(id),
    provider.deleteFile(id),
    provider.download(id, '/nowhere/file'),
  ];
  for (const outcome of await Promise.allSettled(calls)) {
    expect(outcome).toMatchObject({ reason: { message: expect.stringContaining('invariant') } });
  }
  expect(stage.seen).toHaveLength(0);
});

test('an id with a slash stays one segment of the path', async () => {
  const stage = await stageWith(404, REFUSAL);
  await providerAt(stage.baseUrl).retrieveFile('a/../b?c');
  expect(stage.seen[0]?.url).toBe('/v1/files/a%2F..%2Fb%3Fc');
});
