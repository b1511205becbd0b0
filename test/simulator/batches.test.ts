import { createHash } from 'node:crypto';

import { ConflictError } from 'openai';
import { expect, test } from 'vitest';

import {
  answersOf,
  chatLine,
  chatLines,
  contentOf,
  createBatch,
  HOUR_MS,
  openWorld,
  runBatch,
  upload,
} from './support/world.ts';

test('a fresh batch states every field, null where it has no value yet', async () => {
  const { client, simulator } = await openWorld();
  const file = await upload(client, chatLines(3));
  const metadata = { job: 'j1' };
  const batch = await createBatch(client, file.id, { metadata });
  expect(batch).toEqual({
    id: expect.stringMatching(/^batch_[0-9a-f]{32}$/),
    object: 'batch',
    endpoint: '/v1/chat/completions',
    model: null,
    errors: null,
    input_file_id: file.id,
    completion_window: '24h',
    status: 'validating',
    output_file_id: null,
    error_file_id: null,
    created_at: Math.floor(simulator.controls.nowMs() / 1000),
    in_progress_at: null,
    expires_at: batch.created_at + 86_400,
    finalizing_at: null,
    completed_at: null,
    failed_at: null,
    expired_at: null,
    cancelling_at: null,
    cancelled_at: null,
    request_counts: { total: 0, completed: 0, failed: 0 },
    usage: {
      input_tokens: 0,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 0,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 0,
    },
    metadata,
  });
});

test('a batch passes its statuses in order while its completed count rises', async () => {
  const { client, simulator } = await openWorld();
  const file = await upload(client, chatLines(200));
  const { id } = await createBatch(client, file.id);
  const statuses: string[] = [];
  const counts: number[] = [];
  const outputsWhileFinalizing = new Set<unknown>();
  for (let step = 0; step < 60; step++) {
    await simulator.controls.advance(5000);
    const batch = await client.batches.retrieve(id);
    if (statuses.at(-1) !== batch.status) statuses.push(batch.status);
    if (batch.status === 'in_progress') counts.push(batch.request_counts?.completed ?? -1);
    if (batch.status === 'finalizing') outputsWhileFinalizing.add(batch.output_file_id);
  }
  expect(statuses).toEqual(['validating', 'in_progress', 'finalizing', 'completed']);
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  expect(new Set(counts).size).toBeGreaterThan(5);
  expect(outputsWhileFinalizing).toEqual(new Set([null]));
  const done = await client.batches.retrieve(id);
  expect(done.request_counts).toEqual({ total: 200, completed: 200, failed: 0 });
  expect(done.model).toBe('gpt-4o-mini');
});

test('every request is answered once, out of order, with its own fingerprint', async () => {
  const world = await openWorld();
  const lines = chatLines(300);
  const batch = await runBatch(world, lines);
  const answers = await answersOf(world.client, batch.output_file_id);
  const asked = lines.map((line) => JSON.parse(line) as { custom_id: string; body: unknown });
  expect(answers.map(({ custom_id }) => custom_id)).not.toEqual(
    asked.map((line) => line.custom_id),
  );
  const prints = new Map(answers.map((line) => [line.custom_id, line.response?.body]));
  expect(prints.size).toBe(300);
  for (const { custom_id, body } of asked) {
    const sha256 = createHash('sha256').update(JSON.stringify(body)).digest('hex');
    expect(prints.get(custom_id)?.['system_fingerprint']).toBe(`fp_${sha256.slice(0, 16)}`);
  }
  expect(batch.error_file_id).toBeNull();
});

test('the fingerprint is of the bytes as uploaded, not of a re-written body', async () => {
  const world = await openWorld();
  const body =
    '{ "model":"gpt-4o-mini","messages":[{"role":"user","content":"\\u00e9 }\\" {"}],"n":1.0 }';
  const line = `{"body": ${body} ,"custom_id":"x","method":"POST","url":"/v1/chat/completions"}`;
  const batch = await runBatch(world, [line]);
  const [answer] = await answersOf(world.client, batch.output_file_id);
  const sha256 = createHash('sha256').update(body).digest('hex');
  expect(answer?.response?.body['system_fingerprint']).toBe(`fp_${sha256.slice(0, 16)}`);
});

test('the same seed and input give the same bytes, another seed gives others', async () => {
  const outputs: string[] = [];
  for (const seed of [1, 1, 2]) {
    const world = await openWorld({ seed });
    const batch = await runBatch(world, chatLines(50));
    outputs.push(await contentOf(world.client, batch.output_file_id));
  }
  expect(outputs[0]).toBe(outputs[1]);
  expect(outputs[0]).not.toBe(outputs[2]);
  expect(outputs[0]?.endsWith('\n')).toBe(true);
});

test('failed requests stand in the error file, as often as the flakiness says', async () => {
  const world = await openWorld({
    flakiness: { permanentRate: 0.1, retryableRate: 0.2, retryableTimes: 1 },
  });
  const lines = chatLines(200);
  const first = await runBatch(world, lines);
  const failed = await answersOf(world.client, first.error_file_id);
  const statuses = new Set(failed.map((line) => line.response?.status_code));
  expect(statuses).toEqual(new Set([400, 429, 500]));
  expect(first.request_counts).toEqual({
    total: 200,
    completed: 200 - failed.length,
    failed: failed.length,
  });
  expect(failed[0]).toMatchObject({ error: null, response: { body: { error: { type: /./ } } } });

  const failedIds = new Set(failed.map(({ custom_id }) => custom_id));
  const again = await runBatch(
    world,
    lines.filter((_, index) => failedIds.has(`r-${index}`)),
  );
  const failedTwice = await answersOf(world.client, again.error_file_id);
  expect(failedTwice.length).toBeGreaterThan(0);
  expect(new Set(failedTwice.map((line) => line.response?.status_code))).toEqual(new Set([400]));
  expect(world.simulator.ledger.executedTwice()).toEqual([]);
});

test('a batch of which every request failed has no output file', async () => {
  const world = await openWorld({ faults: [{ name: 'line_error_400' }] });
  const batch = await runBatch(world, chatLines(5));
  expect(batch).toMatchObject({ status: 'completed', output_file_id: null });
  expect(await answersOf(world.client, batch.error_file_id)).toHaveLength(5);
});

test('cancelling in the middle keeps what was done and names the rest', async () => {
  const { client, simulator } = await openWorld();
  const file = await upload(client, chatLines(100));
  const { id } = await createBatch(client, file.id);
  await simulator.controls.advance(60_000);
  const cancelling = await client.batches.cancel(id);
  expect(cancelling.status).toBe('cancelling');
  expect(cancelling.cancelling_at).toBeTypeOf('number');
  await simulator.controls.advance(HOUR_MS);
  const batch = await client.batches.retrieve(id);
  expect(batch.status).toBe('cancelled');
  const done = await answersOf(client, batch.output_file_id);
  const rest = await answersOf(client, batch.error_file_id);
  expect(done.length).toBeGreaterThan(0);
  expect(done.length + rest.length).toBe(100);
  expect(new Set(rest.map((line) => line.error?.code))).toEqual(new Set(['batch_cancelled']));
  expect((await client.batches.cancel(id)).status).toBe('cancelled');
});

test('cancelling while validating leaves no files, a finished batch refuses', async () => {
  const { client, simulator } = await openWorld();
  const file = await upload(client, chatLines(3));
  const early = await createBatch(client, file.id);
  await client.batches.cancel(early.id);
  await simulator.controls.advance(HOUR_MS);
  expect(await client.batches.retrieve(early.id)).toMatchObject({
    status: 'cancelled',
    output_file_id: null,
    error_file_id: null,
  });
  const late = await createBatch(client, file.id);
  await simulator.controls.advance(HOUR_MS);
  const refused = client.batches.cancel(late.id);
  await expect(refused).rejects.toThrow(ConflictError);
  await expect(refused).rejects.toThrow("Cannot cancel a batch with status 'completed'.");
});

test('an expired batch pays what was done and counts the rest as neither', async () => {
  const { client, simulator } = await openWorld();
  const file = await upload(client, chatLines(10));
  const { id } = await createBatch(client, file.id);
  simulator.controls.order(id, { kind: 'expire', share: 0.3 });
  await simulator.controls.quiet();
  const batch = await client.batches.retrieve(id);
  expect(batch.status).toBe('expired');
  expect(batch.request_counts).toEqual({ total: 10, completed: 3, failed: 0 });
  expect(await answersOf(client, batch.output_file_id)).toHaveLength(3);
  const rest = await answersOf(client, batch.error_file_id);
  expect(rest.map((line) => [line.response, line.error?.code])).toEqual(
    Array.from({ length: 7 }, () => [null, 'batch_expired']),
  );
  expect(simulator.ledger.totals().requestsPaid).toBe(3);
});

test('a share of the batches expires at the end of the window when told so', async () => {
  const { client, simulator } = await openWorld({ flakiness: { expiredRate: 1 } });
  const file = await upload(client, chatLines(20));
  const { id, expires_at: expiresAt } = await createBatch(client, file.id);
  await simulator.controls.advance(23 * HOUR_MS);
  expect((await client.batches.retrieve(id)).status).toBe('in_progress');
  await simulator.controls.advance(2 * HOUR_MS);
  const batch = await client.batches.retrieve(id);
  expect(batch).toMatchObject({ status: 'expired', expired_at: expiresAt });
});

test('a forced failure states its reasons', async () => {
  const { client, simulator } = await openWorld();
  const file = await upload(client, chatLines(2));
  const { id } = await createBatch(client, file.id);
  const finding = { code: 'odd', line: 2, message: 'An odd line.', param: null };
  simulator.controls.order(id, { kind: 'fail', findings: [finding] });
  await simulator.controls.quiet();
  const batch = await client.batches.retrieve(id);
  expect(batch).toMatchObject({ status: 'failed', errors: { object: 'list', data: [finding] } });
  expect(() => simulator.controls.order(id, { kind: 'cancel' })).toThrow('failed already');
});

test('deleting the input file right after the create fails the batch', async () => {
  const { client, simulator } = await openWorld();
  const file = await upload(client, chatLines(2));
  const { id } = await createBatch(client, file.id);
  await client.files.delete(file.id);
  await simulator.controls.advance(HOUR_MS);
  const batch = await client.batches.retrieve(id);
  expect(batch).toMatchObject({
    status: 'failed',
    errors: { data: [{ code: 'invalid_request', param: 'file_id', line: null }] },
  });
  expect(simulator.ledger.totals().requestsExecuted).toBe(0);
});

test('lists come newest first in pages that the SDK walks', async () => {
  const { client } = await openWorld();
  const file = await upload(client, [chatLine('a')]);
  const ids: string[] = [];
  for (let made = 0; made < 7; made++) ids.unshift((await createBatch(client, file.id)).id);
  const walked: string[] = [];
  for await (const batch of client.batches.list({ limit: 3 })) walked.push(batch.id);
  expect(walked).toEqual(ids);
  const page = await fetch(`${client.baseURL}/batches?limit=2&after=${ids[1]}`);
  expect(await page.json()).toMatchObject({
    object: 'list',
    first_id: ids[2],
    last_id: ids[3],
    has_more: true,
  });
});

test('time runs by itself when it is not manual', async () => {
  const { client, simulator } = await openWorld({ clock: 'running', timeFactor: 100_000 });
  const file = await upload(client, chatLines(20));
  const { id } = await createBatch(client, file.id);
  await simulator.controls.until(
    'batch_status',
    (event) => event.batchId === id && event.status === 'completed',
  );
  expect((await client.batches.retrieve(id)).request_counts?.completed).toBe(20);
});
