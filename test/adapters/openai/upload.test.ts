import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { UploadInput } from '../../../src/ports/batch-provider.ts';
import {
  answer,
  KEY_CANARY,
  providerAt,
  scratchFolder,
  stageAnswering,
  stageOfSockets,
  stageWith,
  unusedBaseUrl,
  weatherAfter,
} from './stage.ts';
import type { Seen } from './stage.ts';

const FILE = { id: 'file-1', object: 'file', filename: 'a.jsonl', created_at: 1_790_000_000 };
const LARGE_BYTES = 3_000_000;

function localFile(content: Uint8Array): string {
  const localPath = path.join(scratchFolder(), 'requests.jsonl');
  writeFileSync(localPath, content);
  return localPath;
}

function inputOf(content: Uint8Array, changes: Partial<UploadInput> = {}): UploadInput {
  return {
    localPath: localFile(content),
    ranges: [{ start: 0, end: content.length }],
    filename: 'a.jsonl',
    expiresAfterSeconds: 86_400,
    ...changes,
  };
}

/** The form as the platform's own parser reads it. */
function formIn(seen: Seen | undefined): Promise<FormData> {
  const headers = { 'content-type': seen?.headers['content-type'] ?? '' };
  return new Response(new Uint8Array(seen?.body ?? []), { headers }).formData();
}

async function bytesIn(form: FormData): Promise<Buffer> {
  const file = form.get('file');
  if (!(file instanceof File)) throw new Error('the form has no file');
  return Buffer.from(await file.arrayBuffer());
}

test('the form has purpose, expiry and the file byte for byte, with its length', async () => {
  const content = randomBytes(700_001);
  const stage = await stageWith(200, { ...FILE, bytes: content.length });
  const file = await providerAt(stage.baseUrl).upload(inputOf(content));
  expect(file).toEqual({
    id: 'file-1',
    filename: 'a.jsonl',
    sizeBytes: 700_001,
    createdAtMs: 1_790_000_000_000,
  });
  const [seen] = stage.seen;
  const form = await formIn(seen);
  expect([...form.keys()]).toEqual([
    'purpose',
    'expires_after[anchor]',
    'expires_after[seconds]',
    'file',
  ]);
  expect(form.get('purpose')).toBe('batch');
  expect(form.get('expires_after[anchor]')).toBe('created_at');
  expect(form.get('expires_after[seconds]')).toBe('86400');
  expect((await bytesIn(form)).equals(content)).toBe(true);
  expect(seen).toMatchObject({ method: 'POST', url: '/v1/files' });
  expect(seen?.headers).toMatchObject({
    'content-length': String(seen?.body.length),
    authorization: `Bearer ${KEY_CANARY}`,
    'openai-organization': 'org-1',
    'openai-project': 'proj-1',
    'user-agent': 'batchwright/test',
  });
  expect(seen?.headers).not.toHaveProperty('transfer-encoding');
});

test('ranges of any size are joined in order, across the edges of blocks', async () => {
  const content = randomBytes(1_500_000);
  const edges = [0, 1, 1, 5, 262_143, 262_145, 524_288, 524_289, 1_100_000, 1_499_999];
  const ranges = edges.flatMap((start, index) => {
    const end = edges[index + 1];
    return index % 2 === 0 && end !== undefined ? [{ start, end }] : [];
  });
  const expected = Buffer.concat(ranges.map(({ start, end }) => content.subarray(start, end)));
  const stage = await stageWith(200, { ...FILE, bytes: expected.length });
  const file = await providerAt(stage.baseUrl).upload(inputOf(content, { ranges }));
  expect(file.sizeBytes).toBe(expected.length);
  expect((await bytesIn(await formIn(stage.seen[0]))).equals(expected)).toBe(true);
});

test('a filename cannot leave its quotes', async () => {
  const stage = await stageWith(200, FILE);
  const filename = 'é"\r\nx: y.jsonl';
  await providerAt(stage.baseUrl).upload(inputOf(Buffer.from('{}\n'), { filename }));
  const form = await formIn(stage.seen[0]);
  expect([...form.keys()]).toHaveLength(4);
  expect(String(stage.seen[0]?.body)).toContain('filename="é%22%0D%0Ax: y.jsonl"');
});

test('a profile can turn the expiry off', async () => {
  const stage = await stageWith(200, FILE);
  const profile = { filePurpose: 'batch-api', uploadExpiry: 'never' } as const;
  await providerAt(stage.baseUrl, { profile }).upload(inputOf(Buffer.from('{}\n')));
  expect([...(await formIn(stage.seen[0])).keys()]).toEqual(['purpose', 'file']);
});

test('a server that refuses the expiry gets the next upload without it', async () => {
  const stage = await stageAnswering((response, seen) => {
    const message = "Unknown parameter: 'expires_after'.";
    if (seen.body.includes('expires_after')) answer(response, 400, { error: { message } });
    else answer(response, 200, FILE);
  });
  const profile = { filePurpose: 'batch', uploadExpiry: 'until-refused' } as const;
  const provider = providerAt(stage.baseUrl, { profile });
  const input = inputOf(Buffer.from('{}\n'));
  expect(await weatherAfter(provider.upload(input))).toMatchObject({
    kind: 'transient',
    status: 400,
  });
  expect((await provider.upload(input)).id).toBe('file-1');
  const strict = providerAt(stage.baseUrl);
  expect(await weatherAfter(strict.upload(input))).toMatchObject({ kind: 'permanent' });
});

test.each([
  [400, 'permanent'],
  [401, 'permanent'],
  [403, 'permanent'],
  [413, 'permanent'],
  [408, 'transient'],
  [409, 'transient'],
  [429, 'transient'],
  [500, 'transient'],
  [502, 'transient'],
])('an upload that is answered by %i is %s weather', async (status, kind) => {
  const error = { message: 'No.', code: 'no_good' };
  const stage = await stageWith(status, { error }, { 'retry-after': '90' });
  const upload = providerAt(stage.baseUrl).upload(inputOf(Buffer.from('{}\n')));
  expect(await weatherAfter(upload)).toMatchObject({
    kind,
    status,
    code: 'no_good',
    retryAfterMs: 90_000,
  });
  expect(stage.seen).toHaveLength(1);
});

test.each([
  ['HTML', '<html>'],
  ['nothing', ''],
  ['no id', {}],
  ['another size', { ...FILE, bytes: 2 }],
])('an upload that is answered by a 200 with %s may be repeated', async (_what, body) => {
  const stage = await stageWith(200, body);
  const upload = providerAt(stage.baseUrl).upload(inputOf(Buffer.from('{}\n')));
  expect(await weatherAfter(upload)).toMatchObject({ kind: 'transient', status: 200 });
});

test('a size of 0 in the answer is a size that is not stated', async () => {
  const stage = await stageWith(200, { id: 'file-1', bytes: 0 });
  const file = await providerAt(stage.baseUrl).upload(inputOf(Buffer.from('{}\n')));
  expect(file).toMatchObject({ sizeBytes: 3, filename: 'a.jsonl', createdAtMs: 0 });
});

test.each(['stops reading', 'closes', 'resets'])(
  'a server that refuses amid the upload and %s is heard',
  async (way) => {
    const body = JSON.stringify({ error: { message: 'Too large.' } });
    const head = `HTTP/1.1 413 No\r\ncontent-length: ${body.length}\r\n\r\n`;
    const stage = await stageOfSockets((socket) =>
      socket.once('data', () => {
        socket.write(head + body, () => {
          if (way === 'stops reading') socket.pause();
          if (way === 'closes') socket.end();
          if (way === 'resets') socket.resetAndDestroy();
        });
      }),
    );
    const upload = () => providerAt(stage.baseUrl).upload(input);
    const input = inputOf(Buffer.alloc(LARGE_BYTES, 'x'));
    let weather = await weatherAfter(upload());
    // A reset can overtake the refusal: then a repeat hears it, at one time or another.
    const repeats = way === 'resets' ? 50 : 0;
    for (let repeat = 0; weather.status === null && repeat < repeats; repeat += 1) {
      expect(weather.kind).toBe('transient');
      weather = await weatherAfter(upload());
    }
    expect(weather).toMatchObject({ kind: 'permanent', status: 413 });
    expect(weather.message).toContain('Too large.');
  },
);

test('a success that is announced before the whole file was sent is none', async () => {
  const body = JSON.stringify(FILE);
  const head = `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`;
  const stage = await stageOfSockets((socket) =>
    socket.once('data', () => socket.pause().write(head + body)),
  );
  const upload = providerAt(stage.baseUrl).upload(inputOf(Buffer.alloc(20_000_000, 'x')));
  const weather = await weatherAfter(upload);
  expect(weather).toMatchObject({ kind: 'transient', status: 200 });
  expect(weather.message).toContain('before the whole file');
});

test('an upload that the network ends may be repeated', async () => {
  const reset = await stageOfSockets((socket) =>
    socket.once('data', () => socket.resetAndDestroy()),
  );
  const input = inputOf(Buffer.alloc(LARGE_BYTES, 'x'));
  const cut = await weatherAfter(providerAt(reset.baseUrl).upload(input));
  expect(cut).toMatchObject({ kind: 'transient', status: null });
  expect(cut.code).toMatch(/^(ECONNRESET|EPIPE)$/);
  const refused = await weatherAfter(providerAt(await unusedBaseUrl()).upload(input));
  expect(refused).toMatchObject({ kind: 'transient', code: 'ECONNREFUSED' });
});

test('a server that stops reading is a stall, one that never answers too', async () => {
  const deaf = await stageOfSockets((socket) => socket.pause());
  const mute = await stageOfSockets((socket) => socket.resume());
  const large = inputOf(Buffer.alloc(20_000_000, 'x'));
  const stalled = await weatherAfter(
    providerAt(deaf.baseUrl, {
      timeouts: { callMs: 5_000, stallMs: 200, answerMs: 60_000 },
    }).upload(large),
  );
  const unanswered = await weatherAfter(
    providerAt(mute.baseUrl, {
      timeouts: { callMs: 5_000, stallMs: 60_000, answerMs: 200 },
    }).upload(large),
  );
  expect(stalled).toMatchObject({ kind: 'transient', status: null, code: 'ETIMEDOUT' });
  expect(stalled.message).toContain('did not move');
  expect(unanswered).toMatchObject({ kind: 'transient', status: null, code: 'ETIMEDOUT' });
  expect(unanswered.message).toContain('no answer');
});

test('a repeated upload starts again from the first byte', async () => {
  const content = randomBytes(LARGE_BYTES);
  const stage = await stageAnswering((response, _seen, count) =>
    count === 1 ? response.socket?.resetAndDestroy() : answer(response, 200, FILE),
  );
  const provider = providerAt(stage.baseUrl);
  const input = inputOf(content);
  expect(await weatherAfter(provider.upload(input))).toMatchObject({ kind: 'transient' });
  await provider.upload(input);
  expect((await bytesIn(await formIn(stage.seen[1]))).equals(content)).toBe(true);
});

test("faults of our own disk are the disk's errors and not weather", async () => {
  const stage = await stageWith(200, FILE);
  const provider = providerAt(stage.baseUrl);
  const absent = { ...inputOf(Buffer.from('{}\n')), localPath: '/nowhere/requests.jsonl' };
  await expect(provider.upload(absent)).rejects.toMatchObject({ code: 'ENOENT' });
  const short = inputOf(Buffer.from('{}\n'), { ranges: [{ start: 0, end: 600_000 }] });
  await expect(provider.upload(short)).rejects.toThrow('shorter than its ranges');
  expect(stage.seen).toHaveLength(0);
});

test.each([
  [[]],
  [[{ start: 1, end: 0 }]],
  [
    [
      { start: 0, end: 2 },
      { start: 1, end: 3 },
    ],
  ],
])('the ranges %j crash before anything is sent', async (ranges) => {
  const stage = await stageWith(200, FILE);
  const upload = providerAt(stage.baseUrl).upload(inputOf(Buffer.from('{}\n'), { ranges }));
  await expect(upload).rejects.toThrow('broken invariant');
  expect(stage.seen).toHaveLength(0);
});
