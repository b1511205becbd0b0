import { describe, expect, it } from 'vitest';

import { requestLine } from '../../support/sets.ts';
import { call } from '../../support/service.ts';
import { faultsOf } from '../openai-schemas.ts';
import { chatLines, CHAT, idsIn, openDoor, refusalOf } from './door.ts';

describe('a batch on the door for OpenAI’s clients', () => {
  it('says in each status what OpenAI says', async () => {
    const door = await openDoor({ workers: false });
    const file = await door.upload(chatLines(5));
    const made = await door.create(file.id, { metadata: { who: 'me' } });
    const nothing = { errors: null, output_file_id: null, error_file_id: null, usage: null };
    expect(made).toMatchObject({
      ...nothing,
      object: 'batch',
      status: 'validating',
      endpoint: CHAT,
      model: null,
      input_file_id: file.id,
      completion_window: '24h',
      expires_at: made.created_at + 86_400,
      in_progress_at: null,
      finalizing_at: null,
      completed_at: null,
      failed_at: null,
      expired_at: null,
      cancelling_at: null,
      cancelled_at: null,
      request_counts: { total: 0, completed: 0, failed: 0 },
      metadata: { who: 'me' },
    });
    expect(made.id).toMatch(/^batch_[0-9a-hjkmnp-tv-z]{26}$/);

    const planners = await door.house.start(['plan']);
    const running = await door.until(made.id, 'in_progress');
    await planners.stop(2_000);
    expect(running).toMatchObject({ ...nothing, model: 'gpt-4o-mini', completed_at: null });
    expect(running.request_counts).toEqual({ total: 5, completed: 0, failed: 0 });
    expect(running.in_progress_at).toBeGreaterThanOrEqual(made.created_at);

    const workers = await door.house.start();
    const batch = await door.until(made.id, 'completed');
    await workers.stop(2_000);
    expect(batch.request_counts).toEqual({ total: 5, completed: 5, failed: 0 });
    expect(batch.error_file_id).toBeNull();
    expect(batch.completed_at).toBe(batch.finalizing_at);
    expect(batch.usage?.total_tokens).toBe(
      (batch.usage?.input_tokens ?? 0) + (batch.usage?.output_tokens ?? 0),
    );
    expect(batch.usage?.output_tokens).toBeGreaterThan(0);
    expect(idsIn(await door.text(batch.output_file_id))).toEqual([
      'r-0',
      'r-1',
      'r-2',
      'r-3',
      'r-4',
    ]);
  });

  it('has no output file where everything failed, and cannot be cancelled any more', async () => {
    const flakiness = { permanentRate: 1 };
    const { run, text, client } = await openDoor({ simulator: { flakiness } });
    const batch = await run(chatLines(3));
    expect(batch).toMatchObject({ status: 'completed', output_file_id: null });
    expect(batch.request_counts).toEqual({ total: 3, completed: 0, failed: 3 });
    expect(idsIn(await text(batch.error_file_id))).toEqual(['r-0', 'r-1', 'r-2']);
    expect(await refusalOf(client.batches.cancel(batch.id))).toMatchObject({
      status: 409,
      message: "409 Cannot cancel a batch with status 'completed'.",
    });
  });

  it('tells nothing of the batches and files behind it', async () => {
    const { run, text, simulator, client } = await openDoor();
    const batch = await run(chatLines(3));
    const answers = await text(batch.output_file_id);
    const files = JSON.stringify((await client.files.list()).data);
    const [theirs] = simulator.ledger.batchesPerInputFile();
    for (const id of [theirs?.inputFileId, ...(theirs?.batchIds ?? [])]) {
      expect(id).toMatch(/^(file-|batch_)/);
      expect(JSON.stringify(batch) + answers + files).not.toContain(id);
    }
  });

  it('fails as a whole where lines are bad, and says which', async () => {
    const { run, client } = await openDoor();
    const batch = await run([
      requestLine('a'),
      'not json',
      requestLine('b', 'gpt-4o-mini', { url: '/v1/embeddings' }),
      requestLine('a'),
      requestLine('c', 'gpt-4o-mini', { body: undefined }),
      requestLine('d', 'gpt-4o-mini', { body: { messages: [] } }),
      requestLine('e', 'gpt-4o-mini', { body: { model: 'gpt-4o-mini', stream: true } }),
    ]);
    expect(batch).toMatchObject({ status: 'failed', output_file_id: null, error_file_id: null });
    expect(batch.failed_at).toBeGreaterThanOrEqual(batch.created_at);
    expect(batch.completed_at).toBeNull();
    const found = batch.errors?.data?.map(({ line, code, param }) => [line, code, param]);
    expect(found).toEqual([
      [2, 'invalid_json_line', null],
      [3, 'invalid_url', 'url'],
      [4, 'duplicate_custom_id', 'custom_id'],
      [5, 'missing_required_parameter', 'body'],
      [6, 'invalid_request', 'body.model'],
      [7, 'streaming_unsupported', 'body.stream'],
    ]);
    expect(await refusalOf(client.batches.cancel(batch.id))).toMatchObject({
      status: 409,
      message: "409 Cannot cancel a batch with status 'failed'.",
    });
  });

  it('fails where its input file goes before it is read, and not afterwards', async () => {
    const door = await openDoor({ workers: false });
    const [lost, kept] = [await door.upload(chatLines(2)), await door.upload(chatLines(2))];
    const failing = await door.create(lost.id);
    await door.client.files.delete(lost.id);
    const planners = await door.house.start(['plan']);
    const failed = await door.until(failing.id, 'failed');
    expect(failed.errors?.data).toMatchObject([
      { code: 'invalid_request', param: 'file_id', line: null },
    ]);
    const going = await door.create(kept.id);
    await door.until(going.id, 'in_progress');
    await planners.stop(2_000);
    await door.client.files.delete(kept.id);
    const workers = await door.house.start();
    expect(await door.until(going.id, 'completed')).toMatchObject({ input_file_id: kept.id });
    await workers.stop(2_000);
  });

  it('is cancelled with what is answered, and stays so', async () => {
    const door = await openDoor({ workers: false });
    const early = await door.create((await door.upload(chatLines(2))).id);
    const file = await door.upload(chatLines(4));
    const late = await door.create(file.id);
    expect(await door.client.batches.cancel(early.id)).toMatchObject({ status: 'cancelling' });
    const planners = await door.house.start(['plan']);
    const withdrawn = await door.until(early.id, 'cancelled');
    expect(withdrawn).toMatchObject({ errors: null, output_file_id: null, error_file_id: null });
    await door.until(late.id, 'in_progress');
    await planners.stop(2_000);
    const cancelling = await door.client.batches.cancel(late.id);
    expect(cancelling).toMatchObject({ status: 'cancelling', cancelled_at: null });
    expect(cancelling.cancelling_at).toBeGreaterThanOrEqual(late.created_at);
    const workers = await door.house.start();
    const cancelled = await door.until(late.id, 'cancelled');
    await workers.stop(2_000);
    expect(cancelled).toMatchObject({ output_file_id: null, completed_at: null });
    expect(cancelled.request_counts).toEqual({ total: 4, completed: 0, failed: 4 });
    expect(idsIn(await door.text(cancelled.error_file_id))).toHaveLength(4);
    expect(await door.client.batches.cancel(late.id)).toEqual(cancelled);
  });

  it('is listed page by page, the newest first', async () => {
    const { client, upload, create } = await openDoor({ workers: false });
    const file = await upload(chatLines(1));
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) ids.push((await create(file.id)).id);
    const found: string[] = [];
    for await (const { id } of client.batches.list({ limit: 2 })) found.push(id);
    expect(found).toEqual(ids.toSorted().toReversed());
    const bad = client.batches.list({ after: 'job_1' });
    expect(await refusalOf(bad)).toMatchObject({ status: 400, param: 'after' });
    expect(await refusalOf(client.batches.list({ limit: 101 }))).toMatchObject({ param: 'limit' });
  });

  it('is also what the own API knows as a job, and each of its jobs is a batch', async () => {
    const { url, client, upload, create } = await openDoor({ workers: false });
    const batch = await create((await upload(chatLines(1))).id);
    const job = await call('GET', `${url}/v1/jobs/${batch.id.replace('batch_', 'job_')}`);
    expect(job.json).toMatchObject({ status: 'planning', input: { file_id: batch.input_file_id } });
    const made = await call('POST', `${url}/v1/jobs`, {
      body: chatLines(1).join(''),
      headers: { 'content-type': 'application/jsonl' },
    });
    const id = String(made.json['id']).replace('job_', 'batch_');
    const seen = await client.batches.retrieve(id);
    expect(seen).toMatchObject({ id, status: 'validating' });
    expect(await refusalOf(client.files.retrieve(seen.input_file_id))).toMatchObject({
      status: 404,
    });
  });
});

describe('a call of /v1/batches that OpenAI would refuse', () => {
  it('is refused in the same way', async () => {
    const { url, upload, client, simulator } = await openDoor({ workers: false });
    const { id } = await upload(chatLines(1));
    const good = { input_file_id: id, endpoint: CHAT, completion_window: '24h' };
    const many = Object.fromEntries(Array.from({ length: 17 }, (_, key) => [`k${key}`, 'v']));
    const cases: [object, string, string][] = [
      [{ input_file_id: undefined }, 'missing_required_parameter', 'input_file_id'],
      [{ endpoint: undefined }, 'missing_required_parameter', 'endpoint'],
      [{ completion_window: undefined }, 'missing_required_parameter', 'completion_window'],
      [{ endpoint: '/v1/none' }, 'invalid_value', 'endpoint'],
      [{ completion_window: '48h' }, 'invalid_value', 'completion_window'],
      [{ metadata: { a: 1 } }, 'invalid_type', 'metadata.a'],
      [{ metadata: { a: 'x'.repeat(513) } }, 'invalid_value', 'metadata.a'],
      [{ metadata: { ['k'.repeat(65)]: 'v' } }, 'invalid_value', `metadata.${'k'.repeat(65)}`],
      [{ metadata: many }, 'invalid_value', 'metadata'],
      [{ metadata: 'text' }, 'invalid_type', 'metadata'],
      [{ base_url: 'http://127.0.0.1' }, 'unknown_parameter', 'base_url'],
      [
        { output_expires_after: { anchor: 'created_at', seconds: 1 } },
        'invalid_value',
        'output_expires_after.seconds',
      ],
      [{ input_file_id: 'file-none' }, 'file_not_found', 'input_file_id'],
      [{ input_file_id: 7 }, 'invalid_type', 'input_file_id'],
    ];
    for (const [more, code, param] of cases) {
      const { status, json } = await call('POST', `${url}/v1/batches`, {
        body: { ...good, ...more },
      });
      expect(faultsOf('ErrorResponse', json)).toEqual([]);
      expect([status, json['error']]).toMatchObject([
        400,
        { type: 'invalid_request_error', code, param },
      ]);
    }
    expect((await client.batches.list()).data).toEqual([]);
    expect(simulator.ledger.totals().batchesCreated).toBe(0);
  });

  it('names the missing parameter in OpenAI’s words', async () => {
    const { url } = await openDoor({ workers: false });
    const { json } = await call('POST', `${url}/v1/batches`, { body: {} });
    expect(json['error']).toMatchObject({
      message: "Missing required parameter: 'input_file_id'.",
    });
  });

  it('is answered in the envelope whatever is wrong with it', async () => {
    const { url, run } = await openDoor();
    const { output_file_id: output } = await run(chatLines(1));
    const batches = `${url}/v1/batches`;
    const json = { 'content-type': 'application/json' };
    const wrong = { input_file_id: output, endpoint: CHAT, completion_window: '24h' };
    const calls = [
      [404, await call('GET', `${batches}/batch_none`)],
      [404, await call('GET', `${batches}/batch_${'0'.repeat(26)}`)],
      [404, await call('POST', `${batches}/batch_none/cancel`)],
      [404, await call('GET', `${url}/v1/files/file-none/content`)],
      [404, await call('GET', `${batches}/a/b/c`)],
      [405, await call('DELETE', `${batches}/batch_none`)],
      [400, await call('POST', batches, { body: '{', headers: json })],
      [400, await call('POST', batches, { body: '[]', headers: json })],
      [400, await call('POST', batches, { body: wrong })],
      [415, await call('POST', batches, { body: 'x', headers: { 'content-type': 'text/plain' } })],
      [415, await call('POST', `${url}/v1/files`, { body: {} })],
    ] as const;
    for (const [status, answer] of calls) {
      expect(answer.status).toBe(status);
      expect(faultsOf('ErrorResponse', answer.json)).toEqual([]);
    }
  });
});
