import { createHash } from 'node:crypto';

import { expect, test } from 'vitest';

import { ExecutionTable } from '../../src/simulator/ledger/execution-table.ts';
import {
  chatLine,
  chatLines,
  contentOf,
  HOUR_MS,
  createBatch,
  openWorld,
  runBatch,
  upload,
} from './support/world.ts';

test('a request that is paid in two batches is found, with both batches', async () => {
  const world = await openWorld();
  const first = await runBatch(world, chatLines(5));
  const second = await runBatch(world, [chatLine('new'), chatLine('r-3')]);
  const body = (JSON.parse(chatLine('r-3')) as { body: unknown }).body;
  const bodySha256 = createHash('sha256').update(JSON.stringify(body)).digest('hex');
  expect(world.simulator.ledger.executedTwice()).toEqual([
    { customId: 'r-3', bodySha256, times: 2, batchIds: [first.id, second.id] },
  ]);
  expect(world.simulator.ledger.executionsOf('r-3', bodySha256)).toMatchObject({ executed: 2 });
  expect(world.simulator.ledger.totals()).toMatchObject({
    batchesCreated: 2,
    batchesExecuted: 2,
    requestsExecuted: 7,
    requestsPaid: 7,
    distinctRequests: 6,
    requestsPaidTwice: 1,
  });
});

test('a request that is executed again gets the very same line in any batch', async () => {
  const world = await openWorld({ flakiness: { retryableRate: 1, retryableTimes: 1 } });
  const failed = await runBatch(world, [chatLine('a')]);
  const first = await runBatch(world, [chatLine('a')]);
  const second = await runBatch(world, [chatLine('b'), chatLine('a')]);
  const line = await contentOf(world.client, first.output_file_id);
  expect(failed.output_file_id).toBeNull();
  expect(line).toContain('"status_code":200');
  expect(await contentOf(world.client, second.output_file_id)).toBe(line);
});

test('the same id with another body is another request', async () => {
  const world = await openWorld();
  await runBatch(world, [chatLine('a')]);
  await runBatch(world, [chatLine('a', { temperature: 0 })]);
  expect(world.simulator.ledger.executedTwice()).toEqual([]);
});

test('batches are counted by input file, and apart from that when they executed', async () => {
  const { client, simulator } = await openWorld();
  const file = await upload(client, chatLines(2));
  const first = await createBatch(client, file.id);
  const second = await createBatch(client, file.id);
  await client.batches.cancel(second.id);
  await simulator.controls.advance(HOUR_MS);
  expect(simulator.ledger.batchesPerInputFile()).toEqual([
    { inputFileId: file.id, batchIds: [first.id, second.id], executedBatchIds: [first.id] },
  ]);
});

test('tokens are summed by model and agree with the usage of the batch', async () => {
  const world = await openWorld();
  const batch = await runBatch(world, chatLines(9));
  expect(world.simulator.ledger.totals().models).toEqual({
    'gpt-4o-mini': {
      paidRequests: 9,
      inputTokens: batch.usage?.input_tokens,
      outputTokens: batch.usage?.output_tokens,
    },
  });
  expect(batch.usage?.output_tokens).toBeGreaterThan(0);
});

test('the ledger and the controls are there over HTTP too', async () => {
  const { client, simulator } = await openWorld();
  const root = simulator.url.replace('/v1', '/simulator');
  const control = async (body: object) =>
    fetch(`${root}/controls`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  await control({ setFault: { name: 'list_server_error_500', times: 1 } });
  await expect(client.batches.list()).rejects.toMatchObject({ status: 500 });
  const file = await upload(client, chatLines(4));
  const batch = await createBatch(client, file.id);
  const state = await control({
    order: { batchId: batch.id, kind: 'expire', share: 0.5 },
    advanceMs: HOUR_MS,
    clearFaults: true,
  });
  expect(await state.json()).toMatchObject({ faults: [], batches: [{ status: 'expired' }] });
  expect(await (await fetch(`${root}/ledger`)).json()).toMatchObject({
    totals: { requestsPaid: 2, batchesCreated: 1 },
    executedTwice: [],
    batchesPerInputFile: [{ inputFileId: file.id, batchIds: [batch.id] }],
    calls: { list: 1, upload: 1, create: 1 },
  });
  for (const wrong of [{ setFault: { name: 'x' } }, { nonsense: 1 }, { order: { kind: 'x' } }]) {
    expect((await control(wrong)).status).toBe(400);
  }
});

test('the table of executions stays exact while it grows, in a few bytes a request', () => {
  const table = new ExecutionTable();
  const before = process.memoryUsage().arrayBuffers;
  for (let index = 0; index < 200_000; index++) table.add(`key-${index}`, 1, true);
  for (let index = 0; index < 200_000; index += 1000) table.add(`key-${index}`, 2, false);
  expect(table.size).toBe(200_000);
  expect(table.count('key-1000')).toEqual({ executed: 2, paid: 1, firstPaidBatch: 1 });
  expect(table.count('key-1001')).toEqual({ executed: 1, paid: 1, firstPaidBatch: 1 });
  expect(table.count('absent')).toEqual({ executed: 0, paid: 0, firstPaidBatch: 0 });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(30_000_000);
});
