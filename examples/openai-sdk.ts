/**
 * OpenAI's own SDK, unmodified, before a Batchwright service: `npx node examples/openai-sdk.ts`.
 *
 * Only the base URL is another one; and the file may be of any size.
 */

import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI from 'openai';
import { startOwnService } from './own-service.ts';
import { makeTickets } from './tickets.ts';

const service = await startOwnService();
const folder = await mkdtemp(join(tmpdir(), 'tickets-'));
const path = join(folder, 'tickets.jsonl');
await writeFile(path, makeTickets(500, 7));

// A service without keys takes any; SDKs insist on sending one.
const client = new OpenAI({ baseURL: `${service.url}/v1`, apiKey: 'any' });

try {
  const input = await client.files.create({ file: createReadStream(path), purpose: 'batch' });
  let batch = await client.batches.create({
    input_file_id: input.id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
    metadata: { team: 'labels' },
  });
  while (!['completed', 'failed', 'cancelled'].includes(batch.status)) {
    await sleep(200);
    batch = await client.batches.retrieve(batch.id);
  }
  console.log(`${batch.id} is ${batch.status}:`, batch.request_counts);
  for (const fileId of [batch.output_file_id, batch.error_file_id]) {
    if (fileId === null || fileId === undefined) continue;
    const content = await client.files.content(fileId);
    const [first = ''] = (await content.text()).split('\n');
    console.log(`${fileId} begins with ${first.slice(0, 80)}…`);
  }
} finally {
  await service.close();
  await rm(folder, { recursive: true });
}
