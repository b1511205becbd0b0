import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import {
  answer,
  batchJson,
  createInput,
  KEY_CANARY,
  providerAt,
  stageAnswering,
  stageOfSockets,
  stageWith,
  unusedBaseUrl,
  weatherAfter,
} from './stage.ts';

const REFUSAL = { error: { message: 'No.', type: 'invalid_request_error', code: 'no_good' } };

test('a created batch is asked for once, with its file, window and metadata', async () => {
  const stage = await stageWith(200, batchJson());
  const batch = await providerAt(stage.baseUrl).createBatch(createInput());
  expect(batch.id).toBe('batch_1');
  expect(stage.seen).toHaveLength(1);
  const [seen] = stage.seen;
  expect(seen).toMatchObject({ method: 'POST', url: '/v1/batches' });
  expect(JSON.parse(String(seen?.body))).toEqual({
    input_file_id: 'file-1',
    endpoint: '/v1/embeddings',
    completion_window: '24h',
    metadata: { job: 'job_1' },
  });
  expect(seen?.headers).toMatchObject({
    authorization: `Bearer ${KEY_CANARY}`,
    'openai-organization': 'org-1',
    'openai-project': 'proj-1',
    'user-agent': 'batchwright/test',
  });
});

test.each([400, 401, 403, 404, 405, 410, 413, 415, 421, 422])(
  'a definite %i proves that no batch was made, after one request',
  async (status) => {
    const stage = await stageWith(status, REFUSAL);
    const weather = await weatherAfter(providerAt(stage.baseUrl).createBatch(createInput()));
    expect(weather).toMatchObject({ kind: 'permanent', status, code: 'no_good' });
    expect(weather.message).toContain('No.');
    expect(stage.seen).toHaveLength(1);
  },
);

test.each([408, 409, 499, 500, 502, 503, 504, 520, 301, 303, 307, 308])(
  'after a %i a batch may exist, and nothing asks again',
  async (status) => {
    const headers = { location: '/v1/elsewhere', 'x-should-retry': 'true' };
    const stage = await stageWith(status, REFUSAL, headers);
    const weather = await weatherAfter(providerAt(stage.baseUrl).createBatch(createInput()));
    expect(weather).toMatchObject({ kind: 'unknown', status });
    expect(stage.seen).toHaveLength(1);
  },
);

test('a refused connection proves that no batch was made', async () => {
  const weather = await weatherAfter(providerAt(await unusedBaseUrl()).createBatch(createInput()));
  expect(weather).toMatchObject({ kind: 'transient', status: null, code: 'ECONNREFUSED' });
});

test('a host without an address proves that no batch was made', async () => {
  const provider = providerAt('http://batches.invalid/v1');
  // A resolver without a network may think for a while.
  const weather = await weatherAfter(provider.createBatch(createInput({ timeoutMs: 60_000 })));
  expect(weather.kind).toBe('transient');
  expect(weather.code).toMatch(/^(ENOTFOUND|EAI_AGAIN)$/);
}, 60_000);

test('a 429 proves that no batch was made and carries its wait, over a minute too', async () => {
  const stage = await stageWith(429, REFUSAL, { 'retry-after': '120' });
  const weather = await weatherAfter(providerAt(stage.baseUrl).createBatch(createInput()));
  expect(weather).toMatchObject({ kind: 'transient', status: 429, retryAfterMs: 120_000 });
  expect(stage.seen).toHaveLength(1);
});

test('after a reset before the request was read a batch may exist', async () => {
  const stage = await stageOfSockets((socket) => socket.resetAndDestroy());
  const weather = await weatherAfter(providerAt(stage.baseUrl).createBatch(createInput()));
  expect(weather).toMatchObject({ kind: 'unknown', status: null });
  expect(stage.connections()).toBe(1);
});

test.each(['reset', 'closed'])(
  'after a connection that is %s once the request was read a batch may exist',
  async (way) => {
    const stage = await stageOfSockets((socket) =>
      socket.once('data', () => (way === 'reset' ? socket.resetAndDestroy() : socket.end())),
    );
    const weather = await weatherAfter(providerAt(stage.baseUrl).createBatch(createInput()));
    expect(weather).toMatchObject({ kind: 'unknown', status: null, code: 'ECONNRESET' });
    expect(stage.connections()).toBe(1);
  },
);

test.each([
  ['cut by its length', 'content-length: 100\r\n\r\n{"id":"batch_1"'],
  ['cut amid its chunks', 'transfer-encoding: chunked\r\n\r\n20\r\n{"id":"batch_1"'],
  ['cut in its JSON', 'connection: close\r\n\r\n{"id":"batch_1","status":"val'],
])('after a success that is %s a batch may exist', async (_how, rest) => {
  const stage = await stageOfSockets((socket) =>
    socket.once('data', () =>
      socket.end(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${rest}`),
    ),
  );
  const weather = await weatherAfter(providerAt(stage.baseUrl).createBatch(createInput()));
  expect(weather.kind).toBe('unknown');
  expect(stage.connections()).toBe(1);
});

test.each([
  ['HTML', '<html>fine</html>'],
  ['an empty object', {}],
  ['an object with an empty id', { id: '' }],
  ['an error in its envelope', REFUSAL],
  ['a list', [batchJson()]],
  ['null', null],
])('after a 200 with %s a batch may exist', async (_what, body) => {
  const stage = await stageWith(200, body);
  const weather = await weatherAfter(providerAt(stage.baseUrl).createBatch(createInput()));
  expect(weather).toMatchObject({ kind: 'unknown', status: 200 });
  expect(stage.seen).toHaveLength(1);
});

test('after an answer that is not HTTP a batch may exist', async () => {
  const stage = await stageOfSockets((socket) =>
    socket.once('data', () => socket.end('hello\r\n')),
  );
  const weather = await weatherAfter(providerAt(stage.baseUrl).createBatch(createInput()));
  expect(weather.kind).toBe('unknown');
  expect(stage.connections()).toBe(1);
});

test.each([
  ['no answer', ''],
  ['an answer that does not end', 'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"id":"batch_1"'],
])('the deadline of a create covers %s, and then a batch may exist', async (_what, start) => {
  const stage = await stageOfSockets((socket) => socket.once('data', () => socket.write(start)));
  const weather = await weatherAfter(
    providerAt(stage.baseUrl).createBatch(createInput({ timeoutMs: 100 })),
  );
  expect(weather).toMatchObject({ kind: 'unknown', status: null, code: 'ETIMEDOUT' });
  expect(stage.connections()).toBe(1);
});

test('after a handshake with a server that knows no TLS a batch may exist', async () => {
  const stage = await stageOfSockets((socket) => socket.once('data', () => socket.end('no TLS')));
  const provider = providerAt(stage.baseUrl.replace('http:', 'https:'));
  const weather = await weatherAfter(provider.createBatch(createInput()));
  expect(weather).toMatchObject({ kind: 'unknown', status: null });
  expect(stage.connections()).toBe(1);
});

test('a refusal whose body is cut or hangs is still the refusal that its status says', async () => {
  const stage = await stageOfSockets((socket, count) =>
    socket.once('data', () => {
      socket.write('HTTP/1.1 401 No\r\ncontent-length: 99\r\n\r\n{"error":{"mess');
      if (count === 1) socket.end();
    }),
  );
  const provider = providerAt(stage.baseUrl);
  const cut = await weatherAfter(provider.createBatch(createInput()));
  const hanging = await weatherAfter(provider.createBatch(createInput({ timeoutMs: 1_000 })));
  expect(cut).toMatchObject({ kind: 'permanent', status: 401 });
  expect(hanging).toMatchObject({ kind: 'permanent', status: 401 });
  expect(stage.connections()).toBe(2);
});

test('a create opens a connection of its own, so none that just died can lose it', async () => {
  const ports = new Set<number | undefined>();
  const stage = await stageAnswering((response) => {
    ports.add(response.socket?.remotePort);
    answer(response, 200, batchJson());
  });
  const provider = providerAt(stage.baseUrl);
  await provider.retrieveBatch('batch_1');
  await provider.createBatch(createInput());
  await provider.createBatch(createInput());
  expect(ports.size).toBe(3);
});

test('the key is in nothing that a failed create leaves behind, echoed or not', async () => {
  const echo = `Incorrect key ${KEY_CANARY}, sent as Bearer ${KEY_CANARY}`;
  const stage = await stageAnswering((response, _seen, count) => {
    const error = { message: echo, code: KEY_CANARY, type: echo };
    const headers = { 'x-echo': KEY_CANARY, location: `/?key=${KEY_CANARY}` };
    if (count === 1) answer(response, 401, { error }, headers);
    if (count === 2) answer(response, 502, `<html>${echo}</html>`, headers);
    if (count === 3) answer(response, 302, { error: echo }, headers);
    if (count === 4) response.socket?.resetAndDestroy();
    if (count === 5) answer(response, 200, echo, headers);
  });
  for (let count = 1; count <= 5; count += 1) {
    const call = providerAt(stage.baseUrl).createBatch(createInput());
    const weather = await weatherAfter(call);
    const all = [
      inspect(weather, { depth: 20, showHidden: true }),
      JSON.stringify(weather),
      `${weather}`,
      weather.stack,
      weather.code,
    ].join('\n');
    expect(all).not.toContain(KEY_CANARY);
    expect(all).not.toContain('canary');
  }
});

test('a page of HTML becomes one short line', async () => {
  const stage = await stageWith(502, `<html>\n\u001b[31m${'x'.repeat(50_000)}</html>`);
  const weather = await weatherAfter(providerAt(stage.baseUrl).createBatch(createInput()));
  expect(weather.message.length).toBeLessThan(1_100);
  expect(weather.message).toMatch(/^HTTP 502: <html> \[31mx+…$/);
});
