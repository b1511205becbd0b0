import { fork } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { expect, onTestFinished, test } from 'vitest';

const LINES = 16_000;
const PADDING = 'x'.repeat(3800);
const PEAK_MIB = 260;

test('memory stays flat while large files come, are executed and go', async () => {
  const child = fork(path.join(import.meta.dirname, 'support/child.ts'), { stdio: 'inherit' });
  onTestFinished(() => child.disconnect());
  const [{ url }] = (await once(child, 'message')) as [{ url: string }];
  const inputFileId = await uploadLines(`${url}/files`);
  const outputFileId = await finishBatch(url, inputFileId);
  const content = await fetch(`${url}/files/${outputFileId}/content`);
  let newlines = 0;
  for await (const chunk of content.body ?? []) {
    for (const byte of chunk as Uint8Array) if (byte === 10) newlines++;
  }
  expect(newlines).toBe(LINES);
  child.send('memory');
  const [{ peakKiB }] = (await once(child, 'message')) as [{ peakKiB: number }];
  expect(peakKiB / 1024).toBeLessThan(PEAK_MIB);
});

/** Streams the form; resolves to the file's id. */
async function uploadLines(url: string): Promise<string> {
  const headers = { 'content-type': 'multipart/form-data; boundary=B' };
  const call = request(url, { method: 'POST', headers });
  const answer = once(call, 'response') as Promise<[AsyncIterable<Buffer>]>;
  await pipeline(Readable.from(formOfLines()), call);
  const [response] = await answer;
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return (JSON.parse(Buffer.concat(chunks).toString()) as { id: string }).id;
}

function* formOfLines(): Generator<string> {
  yield '--B\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n';
  yield '--B\r\nContent-Disposition: form-data; name="file"; filename="big.jsonl"\r\n\r\n';
  for (let index = 0; index < LINES; index++) {
    const body = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: PADDING }] };
    const line = { custom_id: `r-${index}`, method: 'POST', url: '/v1/chat/completions', body };
    yield `${JSON.stringify(line)}\n`;
  }
  yield '\r\n--B--\r\n';
}

/** Creates the batch and polls it; resolves to the id of its output file. */
async function finishBatch(url: string, inputFileId: string): Promise<string> {
  const created = await fetch(`${url}/batches`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      input_file_id: inputFileId,
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
    }),
  });
  const { id } = (await created.json()) as { id: string };
  for (;;) {
    const batch = (await (await fetch(`${url}/batches/${id}`)).json()) as Record<string, string>;
    if (batch['status'] === 'completed') return batch['output_file_id'] ?? '';
    expect(['validating', 'in_progress', 'finalizing']).toContain(batch['status']);
  }
}
