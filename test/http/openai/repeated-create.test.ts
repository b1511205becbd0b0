import { describe, expect, it } from 'vitest';

import { CHAT, chatLines, openDoor } from './door.ts';

describe('a create that the SDK repeats', () => {
  it('finds the batch that an earlier try has made, whatever became of that', async () => {
    const { upload, client, until, house } = await openDoor({ workers: false });
    const { id } = await upload(chatLines(1));
    const create = (tries: number, metadata: Record<string, string> = {}) =>
      client.batches.create(
        { input_file_id: id, endpoint: CHAT, completion_window: '24h', metadata },
        { headers: { 'x-stainless-retry-count': String(tries) } },
      );
    const first = await create(0);
    expect((await create(1)).id).toBe(first.id);
    expect((await create(0)).id).not.toBe(first.id);
    expect((await create(1, { a: 'b' })).id).not.toBe(first.id);
    const workers = await house.start();
    for (const batch of (await client.batches.list()).data) await until(batch.id, 'completed');
    await workers.stop(2_000);
    expect((await client.batches.list()).data).toHaveLength(3);
    const over = await create(1);
    expect(over.status).toBe('completed');
    expect((await client.batches.list()).data).toHaveLength(3);
    const later = { 'x-stainless-retry-count': '1', 'x-stainless-timeout': '-60' };
    const anew = await client.batches.create(
      { input_file_id: id, endpoint: CHAT, completion_window: '24h' },
      { headers: later },
    );
    expect(anew.status).toBe('validating');
  });

  it('looks as far back as the client says that it waits, past all that others made', async () => {
    const { upload, client } = await openDoor({ workers: false });
    const { id } = await upload(chatLines(1));
    const create = (headers: Record<string, string>, metadata: Record<string, string> = {}) =>
      client.batches.create(
        { input_file_id: id, endpoint: CHAT, completion_window: '24h', metadata },
        { headers },
      );
    const first = await create({});
    for (let one = 0; one < 60; one += 1) await create({}, { one: String(one) });
    const again = { 'x-stainless-retry-count': '1' };
    expect((await create(again)).id).toBe(first.id);
    // As the SDK for Python tells it; what it does not know at all counts as not told.
    const timed = (seconds: string) => create({ ...again, 'x-stainless-read-timeout': seconds });
    expect((await timed('soon')).id).toBe(first.id);
    expect((await timed('-60')).id).not.toBe(first.id);
  });

  it('waits for a try that is still at work', async () => {
    const { upload, client } = await openDoor({ workers: false });
    const { id } = await upload(chatLines(1));
    await Promise.all(
      [0, 1, 2].map((tries) =>
        client.batches.create(
          { input_file_id: id, endpoint: CHAT, completion_window: '24h' },
          { headers: { 'x-stainless-retry-count': String(tries) } },
        ),
      ),
    );
    // The first try may be taken for another call where a repeat of it overtakes it.
    expect((await client.batches.list()).data.length).toBeLessThanOrEqual(2);
  });

  it('with a key of its own is a batch of its own', async () => {
    const { upload, client } = await openDoor({ workers: false });
    const { id } = await upload(chatLines(1));
    const create = (key: string, tries: number) =>
      client.batches.create(
        { input_file_id: id, endpoint: CHAT, completion_window: '24h' },
        { headers: { 'idempotency-key': key, 'x-stainless-retry-count': String(tries) } },
      );
    const first = await create('night-1', 0);
    const other = await create('night-2', 1);
    expect(other.id).not.toBe(first.id);
    expect((await create('night-2', 2)).id).toBe(other.id);
  });

  it('is not answered with a batch that its owner has cancelled', async () => {
    const { upload, client } = await openDoor({ workers: false });
    const { id } = await upload(chatLines(1));
    const create = (tries: number) =>
      client.batches.create(
        { input_file_id: id, endpoint: CHAT, completion_window: '24h' },
        { headers: { 'x-stainless-retry-count': String(tries) } },
      );
    const first = await create(0);
    await client.batches.cancel(first.id);
    const again = await create(1);
    expect(again.id).not.toBe(first.id);
    expect((await create(1)).id).toBe(again.id);
  });

  it('is one batch under an idempotency key, and never another one', async () => {
    const { upload, client } = await openDoor({ workers: false });
    const { id } = await upload(chatLines(1));
    const create = (key: string, metadata: Record<string, string> = {}) =>
      client.batches.create(
        { input_file_id: id, endpoint: CHAT, completion_window: '24h', metadata },
        { headers: { 'idempotency-key': key } },
      );
    const first = await create('night-1');
    expect((await create('night-1')).id).toBe(first.id);
    expect((await create('night-2')).id).not.toBe(first.id);
    await expect(create('night-1', { a: 'b' })).rejects.toMatchObject({
      status: 409,
      code: 'idempotency_conflict',
    });
  });
});
