import type OpenAI from 'openai';
import { toFile } from 'openai';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { call } from '../../support/service.ts';
import { faultsOf } from '../openai-schemas.ts';
import { chatLines, idsIn, openDoor, refusalOf } from './door.ts';

const LINE = '{"custom_id":"a"}\n';

describe('a file on the door for OpenAI’s clients', () => {
  it('is there as it was uploaded, until it is deleted', async () => {
    const { client, text } = await openDoor({ workers: false });
    const file = await client.files.create({
      file: await toFile(Buffer.from(LINE), 'é日.jsonl'),
      purpose: 'batch',
      expires_after: { anchor: 'created_at', seconds: 3_600 },
    });
    expect(file).toMatchObject({
      object: 'file',
      bytes: 18,
      filename: 'é日.jsonl',
      purpose: 'batch',
      status: 'processed',
      status_details: null,
      expires_at: file.created_at + 3_600,
    });
    expect(await client.files.retrieve(file.id)).toEqual(file);
    expect(await text(file.id)).toBe(LINE);
    expect(await client.files.delete(file.id)).toEqual({
      id: file.id,
      object: 'file',
      deleted: true,
    });
    const gone = { status: 404, code: 'not_found', param: 'id' };
    expect(await refusalOf(client.files.retrieve(file.id))).toMatchObject(gone);
    expect(await refusalOf(client.files.content(file.id))).toMatchObject(gone);
    expect(await refusalOf(client.files.delete(file.id))).toMatchObject(gone);
  });

  it('is listed page by page, in both directions', async () => {
    const { client, upload, url } = await openDoor({ workers: false });
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) ids.push((await upload(['{}'])).id);
    const all = async (query: OpenAI.FileListParams) => {
      const found: string[] = [];
      for await (const { id } of client.files.list(query)) found.push(id);
      return found;
    };
    expect(await all({ limit: 2, order: 'asc' })).toEqual(ids.toSorted());
    expect(await all({ limit: 2 })).toEqual(ids.toSorted().toReversed());
    expect(await all({ limit: 3, purpose: 'batch' })).toHaveLength(5);
    expect(await all({ purpose: 'batch_output' })).toEqual([]);
    expect(await all({ purpose: 'fine-tune' })).toEqual([]);
    const page = await call('GET', `${url}/v1/files?limit=2`);
    const [last, previous] = ids.toSorted().toReversed();
    expect(page.json).toMatchObject({ has_more: true, first_id: last, last_id: previous });
    expect(await refusalOf(all({ after: 'nonsense' }))).toMatchObject({
      status: 400,
      param: 'after',
    });
    expect(await refusalOf(all({ limit: 0 }))).toMatchObject({ status: 400, param: 'limit' });
  });

  it('is refused where it is none for a batch', async () => {
    const { client } = await openDoor({ workers: false });
    const create = async (content: string, filename: string, more: object = {}) =>
      refusalOf(
        client.files.create({
          file: await toFile(Buffer.from(content), filename),
          purpose: 'batch',
          ...more,
        }),
      );
    const format = { status: 400, code: 'invalid_file_format', param: 'file' };
    expect(await create(LINE, 'in.txt')).toMatchObject(format);
    expect(await create('no json\n', 'in.jsonl')).toMatchObject(format);
    expect(await create('[1]\n', 'in.jsonl')).toMatchObject(format);
    expect(await create('{"a":1', 'in.jsonl')).toMatchObject(format);
    for (const blank of ['', '\n', '\uFEFF\n', ' \r\n\t\n'.repeat(20_000)]) {
      const refusal = await create(blank, 'in.jsonl');
      expect(refusal).toMatchObject(format);
      expect(refusal.message).toMatch(/Invalid file format for Batch API\. Must be \.jsonl/);
    }
    expect(await create('\n\n[1]\n', 'in.jsonl')).toMatchObject(format);
    expect(await create(LINE, 'in.jsonl', { purpose: 'fine-tune' })).toMatchObject({
      status: 400,
      code: 'invalid_value',
      param: 'purpose',
    });
    const tooSoon = { anchor: 'created_at', seconds: 60 };
    expect(await create(LINE, 'in.jsonl', { expires_after: tooSoon })).toMatchObject({
      status: 400,
      param: 'expires_after[seconds]',
    });
    expect(await create(LINE, 'in.jsonl', { colour: 'red' })).toMatchObject({
      status: 400,
      code: 'unknown_parameter',
      param: 'colour',
    });
    expect((await client.files.list()).data).toEqual([]);
  });

  it('is taken where later lines are bad, blank ones lead, or the first is long', async () => {
    const { upload } = await openDoor({ workers: false });
    expect(await upload(['{}', 'bad'])).toMatchObject({ bytes: 7 });
    const blank = Array.from({ length: 70_000 }, () => '');
    expect(await upload(['\uFEFF', ...blank, '{}'])).toMatchObject({ bytes: 70_007 });
    const long = JSON.stringify({ custom_id: 'x'.repeat(200_000) });
    expect(await upload([long])).toMatchObject({ bytes: long.length + 1 });
  });

  it('can be downloaded in ranges, and resumed only where it is the same', async () => {
    const { url, upload } = await openDoor({ workers: false });
    const { id } = await upload(['{"a":1}']);
    const content = `${url}/v1/files/${id}/content`;
    const get = (headers: Record<string, string>) => call('GET', content, { headers });
    const whole = await get({});
    expect(whole.headers.get('content-length')).toBe('8');
    expect(whole.headers.get('content-disposition')).toContain('attachment');
    const etag = whole.headers.get('etag') ?? '';
    const part = await get({ range: 'bytes=1-3', 'if-range': etag });
    expect([part.status, part.text]).toEqual([206, '"a"']);
    expect(part.headers.get('content-range')).toBe('bytes 1-3/8');
    expect((await get({ range: 'bytes=-3' })).text).toBe('1}\n');
    expect((await get({ range: 'bytes=6-99' })).text).toBe('}\n');
    const other = await get({ range: 'bytes=1-3', 'if-range': '"other"' });
    expect([other.status, other.text]).toEqual([200, '{"a":1}\n']);
    const beyond = await get({ range: 'bytes=8-' });
    expect(beyond.status).toBe(416);
    expect(beyond.headers.get('content-range')).toBe('bytes */8');
    expect(faultsOf('ErrorResponse', beyond.json)).toEqual([]);
    const head = await call('HEAD', content);
    expect([head.status, head.headers.get('content-length'), head.text]).toEqual([200, '8', '']);
  });

  it('of a batch is listed, read and deleted like any other; the result stays', async () => {
    const flakiness = { permanentRate: 0.2 };
    const { client, run, text, url } = await openDoor({ simulator: { flakiness } });
    const batch = await run(chatLines(30), {
      output_expires_after: { anchor: 'created_at', seconds: 7_200 },
    });
    const [output = '', errors = ''] = [batch.output_file_id, batch.error_file_id];
    const listed = (await client.files.list({ purpose: 'batch_output', order: 'asc' })).data;
    expect(listed.map(({ id }) => id)).toEqual([output, errors]);
    for (const id of [output, errors]) {
      const file = await client.files.retrieve(id);
      const bytes = Buffer.byteLength(await text(id));
      expect(file).toMatchObject({ purpose: 'batch_output', bytes });
      expect(file.expires_at).toBe(file.created_at + 7_200);
    }
    const every: string[] = [];
    for await (const { id } of client.files.list({ limit: 1 })) every.push(id);
    expect(every).toEqual([errors, output, batch.input_file_id]);
    const used = await call('POST', `${url}/v1/jobs`, { body: { input_file_id: output } });
    expect([used.status, used.json['param']]).toEqual([400, 'input_file_id']);
    expect(used.json['detail']).toContain('has the purpose batch_output');
    const range = await call('GET', `${url}/v1/files/${errors}/content`, {
      headers: { range: 'bytes=0-9' },
    });
    expect(range.text).toBe((await text(errors)).slice(0, 10));
    const ids = [...idsIn(await text(output)), ...idsIn(await text(errors))];
    expect(new Set(ids).size).toBe(30);

    await client.files.delete(output);
    expect(await refusalOf(client.files.retrieve(output))).toMatchObject({ status: 404 });
    expect(await refusalOf(client.files.content(output))).toMatchObject({ status: 404 });
    expect((await client.files.list({ purpose: 'batch_output' })).data).toHaveLength(1);
    const { output_file_id: still } = await client.batches.retrieve(batch.id);
    expect(still).toBe(output);
    const job = batch.id.replace('batch_', 'job_');
    const result = await call('GET', `${url}/v1/jobs/${job}`);
    expect(result.json).toMatchObject({ status: 'completed_with_errors', result: { lines: 30 } });

    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 7_201_000 });
    onTestFinished(() => void vi.useRealTimers());
    expect(await refusalOf(client.files.retrieve(errors))).toMatchObject({ status: 404 });
    expect((await client.files.list({ purpose: 'batch_output' })).data).toEqual([]);
    expect((await client.files.list()).data).toHaveLength(1);
  });
});
