import { request } from 'node:http';

import { NotFoundError, toFile } from 'openai';
import { describe, expect, test } from 'vitest';

import { chatLine, contentOf, openWorld, upload } from './support/world.ts';

const LINE = `${chatLine('a')}\n`;

interface RawAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** Sends a multipart body in the given pieces, with or without a Content-Length. */
async function sendForm(
  baseUrl: string,
  pieces: Buffer[],
  withLength: boolean,
): Promise<RawAnswer> {
  const headers: Record<string, string | number> = {
    'content-type': 'multipart/form-data; boundary=BOUNDARY',
  };
  if (withLength) headers['content-length'] = Buffer.concat(pieces).length;
  return new Promise((resolve, reject) => {
    const call = request(`${baseUrl}/files`, { method: 'POST', headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          body: JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>,
        }),
      );
    });
    call.on('error', reject);
    for (const piece of pieces) call.write(piece);
    call.end();
  });
}

function form(parts: readonly (readonly [string, string])[]): Buffer {
  const texts = parts.map(([head, content]) => {
    return `--BOUNDARY\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`;
  });
  return Buffer.from(`${texts.join('')}--BOUNDARY--\r\n`);
}

const FILE = ['name="file"; filename="x.jsonl"', LINE] as const;
const PURPOSE = ['name="purpose"', 'batch'] as const;
const ANCHOR = ['name="expires_after[anchor]"', 'created_at'] as const;
const SECONDS = ['name="expires_after[seconds]"', '7200'] as const;

test('an uploaded file is described, retrieved and read back byte for byte', async () => {
  const { client } = await openWorld();
  const bytes = Buffer.from(`${LINE}{"u":"\u2028 日本 🙂"}\r\n\n--BOUNDARY\n`);
  const file = await client.files.create({
    file: await toFile(bytes, 'näme.jsonl'),
    purpose: 'batch',
    expires_after: { anchor: 'created_at', seconds: 3600 },
  });
  expect(file).toEqual({
    id: expect.stringMatching(/^file-[0-9a-f]{24}$/),
    object: 'file',
    bytes: bytes.length,
    created_at: expect.any(Number),
    expires_at: file.created_at + 3600,
    filename: 'näme.jsonl',
    purpose: 'batch',
    status: 'processed',
    status_details: null,
  });
  expect(await client.files.retrieve(file.id)).toEqual(file);
  const content = await client.files.content(file.id);
  expect(content.headers.get('content-type')).toBe('application/octet-stream');
  expect(content.headers.get('content-length')).toBe(String(bytes.length));
  expect(content.headers.get('accept-ranges')).toBeNull();
  expect(content.headers.get('etag')).toBeNull();
  expect(Buffer.from(await content.arrayBuffer()).equals(bytes)).toBe(true);
});

test('a stream without a length is taken too', async () => {
  const { client } = await openWorld();
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(Buffer.from(LINE));
      controller.enqueue(Buffer.from(LINE.replace('"a"', '"b"')));
      controller.close();
    },
  });
  const file = await client.files.create({
    file: await toFile(new Response(source), 'stream.jsonl'),
    purpose: 'batch',
  });
  expect(await contentOf(client, file.id)).toBe(LINE + LINE.replace('"a"', '"b"'));
});

describe('the parts of the form', () => {
  const orders = [
    [PURPOSE, FILE, ANCHOR, SECONDS],
    [FILE, PURPOSE, SECONDS, ANCHOR],
    [ANCHOR, FILE, SECONDS, PURPOSE],
  ];
  for (const [number, order] of orders.entries()) {
    for (const withLength of [true, false]) {
      const how = withLength ? 'with a Content-Length' : 'chunked';
      test(`may come in any order (${number + 1}, ${how})`, async () => {
        const { simulator, client } = await openWorld();
        const { status, body } = await sendForm(simulator.url, [form(order)], withLength);
        expect(status).toBe(200);
        expect(Number(body['expires_at']) - Number(body['created_at'])).toBe(7200);
        expect(await contentOf(client, String(body['id']))).toBe(LINE);
      });
    }
  }

  test('may be torn anywhere, one byte at a time', async () => {
    const { simulator, client } = await openWorld();
    const whole = form([FILE, PURPOSE]);
    const pieces = Array.from(whole, (_, index) => whole.subarray(index, index + 1));
    const { status, body } = await sendForm(simulator.url, pieces, false);
    expect(status).toBe(200);
    expect(await contentOf(client, String(body['id']))).toBe(LINE);
  });
});

describe('an upload', () => {
  const format = 'Invalid file format for Batch API. Must be .jsonl';
  const cases: [string, Buffer, string][] = [
    ['without a purpose', form([FILE]), "Missing required parameter: 'purpose'."],
    ['without a file', form([PURPOSE]), "Missing required parameter: 'file'."],
    ['of an unknown purpose', form([['name="purpose"', 'fun'], FILE]), "'fun' is not one of"],
    ['of another name', form([['name="file"; filename="x.txt"', LINE], PURPOSE]), format],
    ['of nothing', form([['name="file"; filename="x.jsonl"', ''], PURPOSE]), format],
    [
      'of a first line that is not JSON',
      form([['name="file"; filename="x.jsonl"', 'no'], PURPOSE]),
      format,
    ],
    [
      'that starts with a BOM',
      form([['name="file"; filename="x.jsonl"', `\ufeff${LINE}`], PURPOSE]),
      format,
    ],
    [
      'that expires too soon',
      form([FILE, PURPOSE, ANCHOR, ['name="expires_after[seconds]"', '5']]),
      'Invalid seconds',
    ],
    ['that ends before its last boundary', form([FILE, PURPOSE]).subarray(0, -10), 'multipart'],
  ];
  for (const [title, body, message] of cases) {
    test(`is refused with 400 ${title}`, async () => {
      const { simulator } = await openWorld();
      const answer = await sendForm(simulator.url, [body], true);
      expect(answer.status).toBe(400);
      const { error } = answer.body as { error: Record<string, unknown> };
      expect(error['message']).toContain(message);
      expect(Object.keys(error).toSorted()).toEqual(['code', 'message', 'param', 'type']);
      expect(simulator.controls.files()).toEqual([]);
    });
  }
});

test('a file beyond the size limit is refused with 413', async () => {
  const { simulator, client } = await openWorld({ limits: { maxBytes: 1000 } });
  const lines = Array.from({ length: 20 }, (_, index) => chatLine(`r${index}`));
  await expect(upload(client, lines)).rejects.toMatchObject({ status: 413 });
  expect(simulator.controls.files()).toEqual([]);
});

test('a client that goes away in the middle of an upload leaves no file', async () => {
  const { simulator } = await openWorld();
  const call = request(`${simulator.url}/files`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=BOUNDARY' },
  });
  call.on('error', () => undefined);
  call.write(form([PURPOSE, FILE]).subarray(0, 150));
  await simulator.controls.until('call_started');
  call.destroy();
  const ended = await simulator.controls.until('call_ended');
  expect(ended.status).toBeNull();
  expect(simulator.controls.files()).toEqual([]);
});

test('files are listed by purpose, in pages, and gone when deleted', async () => {
  const { client } = await openWorld();
  const ids: string[] = [];
  for (const name of ['a', 'b', 'c']) ids.push((await upload(client, [LINE], `${name}.jsonl`)).id);
  const listed: string[] = [];
  for await (const file of client.files.list({ purpose: 'batch', limit: 2 })) listed.push(file.id);
  expect(listed).toEqual(ids.toReversed());
  const ascending = await client.files.list({ order: 'asc' });
  expect(ascending.data.map(({ id }) => id)).toEqual(ids);
  expect((await client.files.list({ purpose: 'batch_output' })).data).toEqual([]);
  const id = ids[0] ?? '';
  expect(await client.files.delete(id)).toEqual({ id, object: 'file', deleted: true });
  for (const call of [
    client.files.retrieve(id),
    client.files.content(id),
    client.files.delete(id),
  ]) {
    await expect(call).rejects.toThrow(NotFoundError);
  }
});

test('files vanish at their expiry where that is wanted', async () => {
  const { client, simulator } = await openWorld({ expireFiles: true });
  const { id } = await upload(client, [LINE]);
  await simulator.controls.advance(31 * 86_400_000);
  await expect(client.files.retrieve(id)).rejects.toThrow(NotFoundError);
});

test('a content of no file, and any other path, is not found', async () => {
  const { simulator } = await openWorld();
  for (const path of ['/files//content', '/files/file-0/content', '/nothing']) {
    const answer = await fetch(`${simulator.url}${path}`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
  }
});
