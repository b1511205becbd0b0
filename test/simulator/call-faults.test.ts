import OpenAI, { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { describe, expect, test } from 'vitest';

import { OPERATIONS, type Operation } from '../../src/simulator/faults/names.ts';
import { parseSimulatorFault } from '../../src/simulator/faults/parse.ts';
import { chatLines, createBatch, openWorld, runBatch, upload } from './support/world.ts';

/** One call of each operation; what it needs is there already. */
function callsOf(client: OpenAI, fileId: string, batchId: string) {
  const calls: Record<Operation, () => Promise<unknown>> = {
    upload: () => upload(client, chatLines(2)),
    file_list: async () => (await client.files.list()).data,
    file_retrieve: () => client.files.retrieve(fileId),
    download: async () => (await client.files.content(fileId)).text(),
    file_delete: () => client.files.delete(fileId),
    create: () => createBatch(client, fileId),
    list: async () => (await client.batches.list()).data,
    retrieve: () => client.batches.retrieve(batchId),
    cancel: () => client.batches.cancel(batchId),
  };
  return calls;
}

async function openReadyWorld() {
  const world = await openWorld();
  const file = await upload(world.client, chatLines(2));
  const batch = await createBatch(world.client, file.id);
  return { ...world, calls: callsOf(world.client, file.id, batch.id) };
}

describe('every operation', () => {
  for (const operation of OPERATIONS) {
    test(`${operation} can answer with wrong statuses, and works again after them`, async () => {
      const { simulator, calls } = await openReadyWorld();
      const cases = [
        ['rate_limit_429', 429, 'rate_limit_exceeded'],
        ['insufficient_quota', 429, 'insufficient_quota'],
        ['unauthorized_401', 401, 'invalid_api_key'],
        ['server_error_500', 500, null],
        ['html_502', 502, undefined],
        ['409', 409, null],
      ] as const;
      for (const [name, status, code] of cases) {
        simulator.controls.setFault({ name: `${operation}_${name}`, times: 1 });
        const error = await calls[operation]().catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(APIError);
        expect(error).toMatchObject({ status, code });
      }
      simulator.controls.setFault({ name: `${operation}_reset`, times: 1 });
      await expect(calls[operation]()).rejects.toThrow(APIConnectionError);
      await expect(calls[operation]()).resolves.toBeDefined();
    });
  }
});

test('a 429 says after how many seconds to come again', async () => {
  const { simulator, calls } = await openReadyWorld();
  simulator.controls.setFault({ name: 'list_rate_limit_429', retryAfterSeconds: 7 });
  const error = (await calls.list().catch((reason: unknown) => reason)) as InstanceType<
    typeof APIError
  >;
  expect(error.headers?.get('retry-after')).toBe('7');
});

describe('a create that did its work', () => {
  const cases = [
    ['create_500_after_work', /500/],
    ['create_409_after_work', /409/],
    ['create_html_502_after_work', /502/],
    ['create_reset_after_work', /Connection error/],
    ['create_truncated_200_after_work', /JSON|terminated|Unexpected/],
  ] as const;
  for (const [name, message] of cases) {
    test(`can end with ${name}, and the batch exists once`, async () => {
      const { simulator, calls } = await openReadyWorld();
      simulator.controls.setFault({ name });
      await expect(calls.create()).rejects.toThrow(message);
      expect(simulator.controls.batches()).toHaveLength(2);
    });
  }

  test('can stay without an answer until the client gives up', async () => {
    const { simulator, client } = await openReadyWorld();
    simulator.controls.setFault({ name: 'create_timeout_after_work' });
    const file = simulator.controls.files()[0];
    const body = { input_file_id: file?.id ?? '', endpoint: '/v1/responses' } as const;
    const call = client.batches.create({ ...body, completion_window: '24h' }, { timeout: 150 });
    await expect(call).rejects.toThrow(APIConnectionTimeoutError);
    expect(simulator.controls.batches()).toHaveLength(2);
  });

  test('is repeated by an SDK that retries, which makes several batches for one file', async () => {
    const { simulator } = await openReadyWorld();
    const client = new OpenAI({ apiKey: 'x', baseURL: simulator.url, maxRetries: 2 });
    simulator.controls.setFault({ name: 'create_500_after_work', times: 2 });
    const file = simulator.controls.files()[0];
    await createBatch(client, file?.id ?? '');
    expect(simulator.ledger.batchesPerInputFile()[0]?.batchIds).toHaveLength(4);
  });
});

test('a hung call is never answered, and does no work', async () => {
  const { simulator, client } = await openReadyWorld();
  simulator.controls.setFault({ name: 'create_hang' });
  const file = simulator.controls.files()[0];
  const body = { input_file_id: file?.id ?? '', endpoint: '/v1/responses' } as const;
  const call = client.batches.create({ ...body, completion_window: '24h' }, { timeout: 150 });
  await expect(call).rejects.toThrow(APIConnectionTimeoutError);
  expect(simulator.controls.batches()).toHaveLength(1);
});

test('a slow call is answered, but late', async () => {
  const { simulator, calls } = await openReadyWorld();
  simulator.controls.setFault({ name: 'retrieve_slow', delayMs: 120 });
  const startMs = performance.now();
  await calls.retrieve();
  expect(performance.now() - startMs).toBeGreaterThan(100);
});

test('a fault without an operation strikes all of them, at most as often as told', async () => {
  const { simulator, calls } = await openReadyWorld();
  simulator.controls.setFault({ name: 'server_error_500', times: 2 });
  await expect(calls.list()).rejects.toMatchObject({ status: 500 });
  await expect(calls.file_list()).rejects.toMatchObject({ status: 500 });
  await expect(calls.retrieve()).resolves.toBeDefined();
  expect(simulator.controls.faults()).toMatchObject([{ strikes: 2 }]);
});

test('a rate strikes the same calls for the same seed, and roughly its share of them', async () => {
  const patterns: string[] = [];
  for (const seed of ['a', 'a', 'b']) {
    const { simulator, calls } = await openReadyWorld();
    simulator.controls.setFault({ name: 'list_server_error_500', rate: 0.4, seed });
    let pattern = '';
    for (let call = 0; call < 60; call++) {
      pattern += await calls.list().then(
        () => '.',
        () => 'x',
      );
    }
    patterns.push(pattern);
  }
  expect(patterns[0]).toBe(patterns[1]);
  expect(patterns[0]).not.toBe(patterns[2]);
  expect(patterns[0]?.split('x').length).toBeGreaterThan(12);
  expect(patterns[0]?.split('.').length).toBeGreaterThan(12);
});

test('a match confines a fault to its subject', async () => {
  const { simulator, client } = await openWorld();
  const [one, two] = [await upload(client, chatLines(1)), await upload(client, chatLines(1))];
  simulator.controls.setFault({ name: 'file_retrieve_server_error_500', match: one.id });
  await expect(client.files.retrieve(one.id)).rejects.toMatchObject({ status: 500 });
  expect((await client.files.retrieve(two.id)).id).toBe(two.id);
  simulator.controls.clearFaults();
  expect((await client.files.retrieve(one.id)).id).toBe(one.id);
});

test('calls can be held before and after their work', async () => {
  const { simulator, calls } = await openReadyWorld();
  for (const [moment, made] of [
    ['before', 1],
    ['after', 3],
  ] as const) {
    const hold = simulator.controls.hold('create', moment);
    const call = calls.create();
    await hold.reached;
    expect(simulator.controls.batches()).toHaveLength(made);
    hold.release();
    await call;
  }
});

describe('a download', () => {
  async function openDone() {
    const world = await openWorld();
    const batch = await runBatch(world, chatLines(400));
    const file = await world.client.files.retrieve(batch.output_file_id ?? '');
    const whole = await (await world.client.files.content(file.id)).text();
    return { ...world, file, whole };
  }

  test('can be reset in its middle', async () => {
    const { simulator, client, file } = await openDone();
    simulator.controls.setFault({ name: 'download_cut' });
    const content = await client.files.content(file.id);
    await expect(content.text()).rejects.toThrow('terminated');
  });

  test('can end early without any error', async () => {
    const { simulator, client, file, whole } = await openDone();
    simulator.controls.setFault({ name: 'download_truncated_silently' });
    const content = await client.files.content(file.id);
    expect(content.headers.get('content-length')).toBeNull();
    const text = await content.text();
    expect(text.length).toBeLessThan(file.bytes);
    expect(text.length).toBeGreaterThan(0);
    expect(whole.startsWith(text)).toBe(true);
  });

  test('can end early exactly after a newline', async () => {
    const { simulator, client, file, whole } = await openDone();
    simulator.controls.setFault({ name: 'download_truncated_at_line_end' });
    const text = await (await client.files.content(file.id)).text();
    expect(text.endsWith('\n')).toBe(true);
    expect(text.length).toBeLessThan(whole.length);
  });

  test('can come whole without a Content-Length', async () => {
    const { simulator, client, file, whole } = await openDone();
    simulator.controls.setFault({ name: 'download_without_length' });
    const content = await client.files.content(file.id);
    expect(content.headers.get('content-length')).toBeNull();
    expect(await content.text()).toBe(whole);
  });

  test('can stall in its middle', async () => {
    const { simulator, client, file, whole } = await openDone();
    simulator.controls.setFault({ name: 'download_stalls' });
    const after = simulator.controls.eventCount();
    const content = await client.files.content(file.id);
    const reader = content.body?.getReader();
    const first = await reader?.read();
    expect(first?.value?.length).toBeGreaterThan(0);
    expect(first?.value?.length).toBeLessThan(Buffer.byteLength(whole));
    await reader?.cancel();
    const ended = await simulator.controls.until('call_ended', () => true, { after });
    expect(ended).toMatchObject({ operation: 'download', status: null });
  });

  test('can find its file gone', async () => {
    const { simulator, client, file } = await openDone();
    simulator.controls.setFault({ name: 'output_file_gone' });
    await expect(client.files.content(file.id)).rejects.toMatchObject({ status: 404 });
    await expect(client.files.retrieve(file.id)).rejects.toMatchObject({ status: 404 });
  });
});

describe('a fault in words', () => {
  test('is a name, a rate and further fields', () => {
    expect(parseSimulatorFault('create_hang')).toEqual({ name: 'create_hang' });
    expect(parseSimulatorFault('line_missing=0.25')).toEqual({ name: 'line_missing', rate: 0.25 });
    expect(parseSimulatorFault('list_lag=1,calls=5,match=job_1,seed=x')).toEqual({
      name: 'list_lag',
      rate: 1,
      calls: 5,
      match: 'job_1',
      seed: 'x',
    });
  });

  test('is refused where it is unknown', () => {
    expect(() => parseSimulatorFault('nonsense')).toThrow('unknown fault: nonsense');
    expect(() => parseSimulatorFault('reset=often')).toThrow('rate must be a number');
    expect(() => parseSimulatorFault('reset=1,colour=red')).toThrow('unknown colour');
  });
});
