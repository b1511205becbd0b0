import { describe, expect, test } from 'vitest';

import type { FaultSwitch } from '../../src/simulator/faults/switches.ts';
import {
  type AnswerLine,
  answersOf,
  chatLines,
  contentOf,
  createBatch,
  HOUR_MS,
  openWorld,
  runBatch,
  upload,
} from './support/world.ts';

/** Raw, since the SDK's types hide what is odd. */
async function raw(url: string): Promise<Record<string, unknown>> {
  return (await (await fetch(url)).json()) as Record<string, unknown>;
}

async function openWith(fault: FaultSwitch) {
  const world = await openWorld({ faults: [fault] });
  const file = await upload(world.client, chatLines(4));
  return { ...world, file };
}

test('a file just uploaded can be unknown to create for a while', async () => {
  const { client, file } = await openWith({ name: 'file_not_found_right_after_upload', calls: 2 });
  for (let call = 0; call < 2; call++) {
    await expect(createBatch(client, file.id)).rejects.toThrow(/400 Cannot find file/);
  }
  expect((await createBatch(client, file.id)).status).toBe('validating');
});

test('an unknown file can be refused at once', async () => {
  const { client } = await openWith({ name: 'create_400_unknown_file' });
  await expect(createBatch(client, 'file-none')).rejects.toMatchObject({ status: 400 });
});

test('retrieving can answer 404 for a while', async () => {
  const { client, file } = await openWith({ name: 'retrieve_404_for_a_while', calls: 1 });
  const { id } = await createBatch(client, file.id);
  await expect(client.batches.retrieve(id)).rejects.toMatchObject({ status: 404 });
  expect((await client.batches.retrieve(id)).id).toBe(id);
});

test('a new batch can be absent from the first lists', async () => {
  const { client, file } = await openWith({ name: 'list_lag', calls: 2 });
  const { id } = await createBatch(client, file.id);
  const seen: number[] = [];
  for (let call = 0; call < 3; call++) seen.push((await client.batches.list()).data.length);
  expect(seen).toEqual([0, 0, 1]);
  expect((await client.batches.retrieve(id)).id).toBe(id);
});

test('a batch that lists hide does not end them early for the SDK', async () => {
  const { client, simulator } = await openWorld();
  const file = await upload(client, chatLines(1));
  const ids: string[] = [];
  for (let made = 0; made < 5; made++) ids.unshift((await createBatch(client, file.id)).id);
  simulator.controls.setFault({ name: 'list_lag', match: ids[1] ?? '', calls: 100 });
  const walked: string[] = [];
  for await (const batch of client.batches.list({ limit: 1 })) walked.push(batch.id);
  expect(walked).toEqual(ids.filter((id) => id !== ids[1]));
});

test('lists can be out of order, but whole', async () => {
  const { client, file } = await openWith({ name: 'list_never_sorted' });
  const ids: string[] = [];
  for (let made = 0; made < 8; made++) ids.unshift((await createBatch(client, file.id)).id);
  const walked: string[] = [];
  for await (const batch of client.batches.list({ limit: 3 })) walked.push(batch.id);
  expect(walked).not.toEqual(ids);
  expect(walked.toSorted()).toEqual(ids.toSorted());
});

test('lists can show a batch as it was when it was last retrieved', async () => {
  const { client, simulator, file } = await openWith({ name: 'list_stale_until_retrieved' });
  const { id } = await createBatch(client, file.id);
  await simulator.controls.advance(3 * HOUR_MS);
  expect((await client.batches.list()).data[0]?.status).toBe('validating');
  expect((await client.batches.retrieve(id)).status).toBe('completed');
  expect((await client.batches.list()).data[0]?.status).toBe('completed');
});

describe('what a batch shows can be odd', () => {
  const cases: [FaultSwitch['name'], Record<string, unknown>][] = [
    ['status_backwards', { status: 'in_progress', output_file_id: null }],
    ['unknown_status', { status: 'awaiting_capacity' }],
    ['upper_case_status', { status: 'COMPLETED' }],
    ['counts_null', { request_counts: null }],
    ['counts_wrong', { request_counts: { total: 5, completed: 4, failed: 7 } }],
    ['empty_file_ids', { error_file_id: '' }],
    ['errors_as_list', { errors: [] }],
    ['metadata_dropped', { metadata: null }],
    ['completed_with_null_output_for_a_while', { status: 'completed', output_file_id: null }],
  ];
  for (const [name, shown] of cases) {
    test(`by ${name}`, async () => {
      const { client, simulator, file } = await openWith({ name });
      const { id } = await createBatch(client, file.id, { metadata: { a: 'b' } });
      await simulator.controls.advance(3 * HOUR_MS);
      const batch = await raw(`${simulator.url}/batches/${id}`);
      expect(batch).toMatchObject(shown);
      simulator.controls.clearFaults();
      expect(await raw(`${simulator.url}/batches/${id}`)).not.toMatchObject(shown);
    });
  }

  test('by leaving out what is null', async () => {
    const { client, simulator, file } = await openWith({ name: 'null_fields_absent' });
    const { id } = await createBatch(client, file.id);
    const batch = await raw(`${simulator.url}/batches/${id}`);
    expect(batch).not.toHaveProperty('output_file_id');
    expect(batch).not.toHaveProperty('errors');
    expect(batch['status']).toBe('validating');
  });

  test('only for a while where the output id is withheld', async () => {
    const { client, simulator, file } = await openWith({
      name: 'completed_with_null_output_for_a_while',
      calls: 2,
    });
    const { id } = await createBatch(client, file.id);
    await simulator.controls.advance(3 * HOUR_MS);
    const withheld: boolean[] = [];
    for (let call = 0; call < 3; call++) {
      withheld.push((await client.batches.retrieve(id)).output_file_id === null);
    }
    expect(withheld).toEqual([true, true, false]);
  });
});

describe('a batch can be stuck', () => {
  for (const status of ['validating', 'finalizing'] as const) {
    test(`in ${status} until the fault is switched off`, async () => {
      const { client, simulator, file } = await openWith({ name: `stuck_${status}` });
      const { id } = await createBatch(client, file.id);
      await simulator.controls.advance(8 * HOUR_MS);
      expect((await client.batches.retrieve(id)).status).toBe(status);
      simulator.controls.clearFaults();
      await simulator.controls.advance(HOUR_MS);
      expect((await client.batches.retrieve(id)).status).toBe('completed');
    });
  }

  test('in finalizing for so long that it expires with all its answers', async () => {
    const { client, simulator, file } = await openWith({ name: 'stuck_finalizing' });
    const { id } = await createBatch(client, file.id);
    await simulator.controls.advance(25 * HOUR_MS);
    const batch = await client.batches.retrieve(id);
    expect(batch).toMatchObject({ status: 'expired', error_file_id: null });
    expect(await answersOf(client, batch.output_file_id)).toHaveLength(4);
  });
});

test('a batch can fail with token_limit_exceeded for no visible reason', async () => {
  const world = await openWorld({ faults: [{ name: 'token_limit_exceeded', times: 1 }] });
  const refused = await runBatch(world, chatLines(3));
  expect(refused.errors?.data?.[0]).toMatchObject({ code: 'token_limit_exceeded' });
  expect(refused.errors?.data?.[0]?.message).toContain('Limit: 2,000,000 enqueued tokens.');
  expect((await runBatch(world, chatLines(3))).status).toBe('completed');
});

test('an expired batch can carry generic errors', async () => {
  const { client, simulator, file } = await openWith({ name: 'expired_partially', share: 0.5 });
  simulator.controls.setFault({ name: 'expired_with_server_errors' });
  const { id } = await createBatch(client, file.id);
  await simulator.controls.advance(25 * HOUR_MS);
  const batch = await client.batches.retrieve(id);
  expect(batch).toMatchObject({ status: 'expired', request_counts: { total: 4, completed: 2 } });
  const rest = await answersOf(client, batch.error_file_id);
  expect(rest.map((line) => line.error?.code)).toEqual(['server_error', 'server_error']);
});

test('the service itself can cancel a batch in its middle', async () => {
  const { client, simulator, file } = await openWith({ name: 'cancelled_partially', share: 0.25 });
  const { id } = await createBatch(client, file.id);
  await simulator.controls.advance(3 * HOUR_MS);
  const batch = await client.batches.retrieve(id);
  expect(batch.status).toBe('cancelled');
  expect(await answersOf(client, batch.output_file_id)).toHaveLength(1);
  expect(await answersOf(client, batch.error_file_id)).toHaveLength(3);
});

test('a clean batch can have an error file of zero bytes', async () => {
  const world = await openWorld({ faults: [{ name: 'error_file_empty' }] });
  const batch = await runBatch(world, chatLines(3));
  expect(batch.error_file_id).toMatch(/^file-/);
  expect(await contentOf(world.client, batch.error_file_id)).toBe('');
});

describe('answer lines can be spoilt', () => {
  async function spoiltBy(name: FaultSwitch['name'], count = 6) {
    const world = await openWorld({ faults: [{ name }] });
    const batch = await runBatch(world, chatLines(count));
    const output = await contentOf(world.client, batch.output_file_id);
    const errors = await contentOf(world.client, batch.error_file_id);
    return { ...world, batch, output, errors, lines: output.split('\n').slice(0, -1) };
  }

  test('by standing twice', async () => {
    const { lines, simulator } = await spoiltBy('line_duplicate');
    expect(lines).toHaveLength(12);
    expect(new Set(lines).size).toBe(6);
    expect(simulator.ledger.totals().requestsPaid).toBe(6);
  });

  test('by a failure beside the success', async () => {
    const { lines, errors } = await spoiltBy('line_conflict');
    expect(lines).toHaveLength(6);
    expect(errors.match(/"status_code":500/g)).toHaveLength(6);
  });

  test('by strangers', async () => {
    const { lines } = await spoiltBy('line_stranger');
    expect(lines.filter((line) => line.includes('"custom_id":"stranger-'))).toHaveLength(6);
    expect(lines).toHaveLength(12);
  });

  test('by being absent, and then nothing counts as paid', async () => {
    const { batch, lines, simulator } = await spoiltBy('line_missing');
    expect(batch).toMatchObject({ status: 'completed', request_counts: { completed: 6 } });
    expect(batch).toMatchObject({ output_file_id: expect.any(String), error_file_id: null });
    expect(lines.filter((line) => line !== '')).toEqual([]);
    expect(simulator.ledger.totals()).toMatchObject({ requestsExecuted: 6, requestsPaid: 0 });
  });

  test('by being cut', async () => {
    const { lines } = await spoiltBy('line_unparsable');
    expect(lines).toHaveLength(6);
    for (const line of lines) expect(() => JSON.parse(line) as unknown).toThrow(SyntaxError);
  });

  test('by bytes that are not UTF-8, in a line that is JSON otherwise', async () => {
    const { lines } = await spoiltBy('line_bad_utf8');
    for (const line of lines) {
      expect(line).toContain('\ufffd');
      expect(JSON.parse(line)).toHaveProperty('custom_id');
    }
  });

  test('by a status of 0', async () => {
    const { lines } = await spoiltBy('line_status_0');
    const answers = lines.map((line) => (JSON.parse(line) as AnswerLine).response);
    expect(answers).toHaveLength(6);
    expect(new Set(answers.map((response) => response?.status_code))).toEqual(new Set([0]));
  });

  test('by escaping their ids', async () => {
    const { lines, simulator } = await spoiltBy('line_id_escaped', 1);
    expect(lines[0]).toContain(String.raw`"custom_id":"\u0072\u002d\u0030"`);
    expect(JSON.parse(lines[0] ?? '')).toHaveProperty('custom_id', 'r-0');
    expect(simulator.ledger.totals().requestsPaid).toBe(1);
  });

  test('by failing now and then, drawn anew for each execution', async () => {
    const { batch, simulator, client } = await spoiltBy('line_error_500');
    expect(batch.request_counts).toEqual({ total: 6, completed: 0, failed: 6 });
    simulator.controls.setFault({ name: 'line_error_429', rate: 0.5 });
    simulator.controls.clearFaults('line_error_500');
    const again = await runBatch({ simulator, client }, chatLines(40));
    const failed = await answersOf(client, again.error_file_id);
    expect(failed.length).toBeGreaterThan(5);
    expect(failed.length).toBeLessThan(35);
    expect(failed[0]?.response?.status_code).toBe(429);
  });
});
