import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { createOpenAI } from '@ai-sdk/openai';
import {
  experimental_getBatchResults,
  experimental_getBatchStatus,
  experimental_listBatches,
  experimental_startBatch,
} from 'ai';
import { describe, expect, it } from 'vitest';

import { asInput } from '../../support/sets.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { chatLines, checkedFetch, CHAT, idsIn, openDoor } from './door.ts';

describe("OpenAI's SDK, unmodified", () => {
  it('runs 120,001 requests as one batch', { timeout: 120_000 }, async () => {
    const flakiness = { permanentRate: 0.000_02 };
    const { client, until, text, simulator } = await openDoor({ simulator: { flakiness } });
    const lines = chatLines(120_001);
    const path = join(await temporaryFolder(), 'requests.jsonl');
    await writeFile(path, asInput(lines));
    const input = await client.files.create({ file: createReadStream(path), purpose: 'batch' });
    expect(input).toMatchObject({
      bytes: Buffer.byteLength(asInput(lines)),
      filename: 'requests.jsonl',
    });
    const made = await client.batches.create({
      input_file_id: input.id,
      endpoint: CHAT,
      completion_window: '24h',
      metadata: { run: 'nightly' },
    });
    expect(made).toMatchObject({ input_file_id: input.id, metadata: { run: 'nightly' } });

    const batch = await until(made.id, 'completed');
    expect(batch.request_counts).toEqual({ total: 120_001, completed: 119_997, failed: 4 });
    const output = idsIn(await text(batch.output_file_id));
    const errors = idsIn(await text(batch.error_file_id));
    expect(errors).toHaveLength(4);
    const failed = new Set(errors);
    const ids = lines.map((_, index) => `r-${index}`);
    expect(output).toEqual(ids.filter((id) => !failed.has(id)));
    expect(errors).toEqual(ids.filter((id) => failed.has(id)));
    // Behind the one batch there were three.
    expect(simulator.ledger.totals().batchesCreated).toBe(3);
  });
});

describe("Vercel's AI SDK", () => {
  it('runs a batch and reads its answers', { timeout: 30_000 }, async () => {
    const { url } = await openDoor();
    const provider = createOpenAI({ apiKey: 'any', baseURL: `${url}/v1`, fetch: checkedFetch });
    const requests = ['a', 'b', 'c'].map((id) => {
      return { id, type: 'text', model: 'gpt-4o-mini', prompt: `Say ${id}.` } as const;
    });
    const batch = await experimental_startBatch({ provider, requests });
    let now = await experimental_getBatchStatus({ provider, batch });
    while (now.status === 'pending') now = await experimental_getBatchStatus({ provider, batch });
    expect(now).toMatchObject({ status: 'completed', rawStatus: 'completed' });
    expect(now.requestCounts).toEqual({ total: 3, pending: 0, completed: 3, failed: 0 });
    const answers = [];
    for await (const answer of experimental_getBatchResults({ provider, batch })) {
      answers.push(answer);
    }
    expect(answers.map(({ id, status }) => [id, status])).toEqual(
      requests.map(({ id }) => [id, 'succeeded']),
    );
    const { batches } = await experimental_listBatches({ provider });
    expect(batches.map(({ id }) => id)).toEqual([batch.id]);
  });
});
