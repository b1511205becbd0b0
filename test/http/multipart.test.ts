import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, unlink } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';

import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';

import type { TakenForm } from '../../src/http/multipart.ts';
import { takeForm } from '../../src/http/multipart.ts';
import { Problem, problemOf } from '../../src/http/problem.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const BOUNDARY = 'x-boundary';

const LIMITS = {
  maxBytes: 50_000_000,
  claim: () => true,
  maxLineBytes: 10_000_000,
  minFreeBytes: 0,
  freeBytes: () => Promise.resolve(Infinity),
  idleMs: 30_000,
};

interface Answered {
  readonly status: number;
  readonly code?: string;
  readonly param?: string | null;
  readonly message?: string;
  readonly form?: TakenForm & { content: string };
}

/** A server that takes one form after the other, and says what it took. */
async function formServer(limits: Partial<typeof LIMITS> = {}) {
  const folder = await temporaryFolder();
  const outcomes: Promise<Answered>[] = [];
  const take = async (request: IncomingMessage): Promise<Answered> => {
    try {
      const form = await takeForm(
        request,
        folder,
        { ...LIMITS, ...limits },
        {
          fileField: 'file',
          checkField: (name, value) => {
            if (value !== 'bad') return;
            const message = `${name} is bad`;
            throw new Problem({ status: 400, code: 'bad_field', message, param: name });
          },
          checkFile: (filename) => {
            if (filename.endsWith('.jsonl')) return;
            throw new Problem({ status: 400, code: 'bad_file', message: filename });
          },
        },
      );
      const content = await readFile(form.path, 'latin1');
      await unlink(form.path);
      return { status: 200, form: { ...form, content } };
    } catch (error) {
      const { status, code, param, message } = problemOf(error);
      return { status, code, param, message };
    }
  };
  const server = createServer((request, response) => {
    const outcome = take(request);
    outcomes.push(outcome);
    void outcome.then((answer) => response.end(JSON.stringify(answer)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const { port } = server.address() as AddressInfo;
  return { folder, outcomes, port };
}

function part(head: string, content: Buffer | string): Buffer {
  const opening = `--${BOUNDARY}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`;
  return Buffer.concat([Buffer.from(opening), Buffer.from(content), Buffer.from('\r\n')]);
}

const fileHead = 'name="file"; filename="in.jsonl"';
const purpose = part('name="purpose"', 'batch');

function form(...parts: Buffer[]): Buffer {
  return Buffer.concat([...parts, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}

/** Sends the body in pieces of the given sizes, in turn; all at once where there are none. */
async function send(
  port: number,
  body: Buffer,
  { sizes = [body.length], type = `multipart/form-data; boundary=${BOUNDARY}` } = {},
): Promise<Answered> {
  const request = httpRequest({ port, host: '127.0.0.1', method: 'POST' });
  request.setHeader('content-type', type);
  const answered = new Promise<Answered>((resolve, reject) => {
    request.on('error', reject).on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (block: string) => (text += block));
      response.on('end', () => resolve(JSON.parse(text) as Answered));
    });
  });
  for (let at = 0, turn = 0; at < body.length; turn += 1) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? 1);
    request.write(body.subarray(at, at + size));
    at += size;
  }
  request.end();
  return answered;
}

async function answerTo(body: Buffer, type?: string): Promise<Answered> {
  const { port, folder } = await formServer();
  const answer = await send(port, body, type === undefined ? {} : { type });
  expect(await readdir(folder)).toEqual([]);
  return answer;
}

describe('a form', () => {
  it('is taken with its fields before or behind the file', async () => {
    const file = part(fileHead, '{"a":1}\n');
    const anchor = part('name="expires_after[anchor]"', 'created_at');
    for (const body of [form(purpose, anchor, file), form(file, anchor, purpose)]) {
      const { status, form: taken } = await answerTo(body);
      expect(status).toBe(200);
      expect(taken).toMatchObject({ filename: 'in.jsonl', sizeBytes: 8, content: '{"a":1}\n' });
      expect(taken?.fields).toEqual({ purpose: 'batch', 'expires_after[anchor]': 'created_at' });
    }
  });

  it('keeps every byte of its file, however it is cut on the way', async () => {
    const { port } = await formServer();
    const pieces = [
      '\r\n',
      '--',
      `\r\n--${BOUNDARY.slice(0, -1)}`,
      '\n',
      '\r',
      '{"a":1}',
      '\0',
      'ÿ',
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 }),
        async (content, sizes) => {
          const bytes = Buffer.from(content.join(''), 'latin1');
          const answer = await send(port, form(part(fileHead, bytes), purpose), { sizes });
          expect(answer.form?.content).toBe(bytes.toString('latin1'));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is taken or refused, and never breaks anything, whatever is wrong with it', async () => {
    const { port } = await formServer();
    const whole = form(purpose, part(fileHead, '{"a":1}\n'));
    const junk = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .constantFrom('\r\n', `--${BOUNDARY}`, '--', ':', 'Content-Type: a/b; charset=utf-16')
        .map((text) => Buffer.from(text)),
    );
    const edits = fc.array(fc.tuple(fc.nat(whole.length), fc.nat(60), junk), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(edits, async (changes) => {
        let body = whole;
        for (const [at, length, bytes] of changes) {
          body = Buffer.concat([body.subarray(0, at), bytes, body.subarray(at + length)]);
        }
        const { status } = await send(port, body);
        expect([200, 400]).toContain(status);
      }),
      { numRuns: 150 },
    );
  });

  it('takes a large file as it is', async () => {
    const { port } = await formServer();
    const line = Buffer.concat([randomBytes(999), Buffer.from('\n')]);
    const bytes = Buffer.concat(Array.from({ length: 20_000 }, () => line));
    const { form: taken } = await send(port, form(part(fileHead, bytes), purpose));
    const sha256 = (of: Buffer) => createHash('sha256').update(of).digest('hex');
    expect(sha256(Buffer.from(taken?.content ?? '', 'latin1'))).toBe(sha256(bytes));
  });

  it('has a filename in UTF-8, of which folders are left out', async () => {
    const head = 'name="file"; filename="../../a/é日.jsonl"';
    const { form: taken } = await answerTo(form(part(head, 'x')));
    expect(taken?.filename).toBe('é日.jsonl');
  });

  it.each([
    ['without a file', form(purpose), 'missing_required_parameter', 'file'],
    ['with two files', form(part(fileHead, 'a'), part(fileHead, 'b')), 'invalid_form', null],
    [
      'with an unknown file',
      form(part('name="f"; filename="a.jsonl"', 'a')),
      'unknown_parameter',
      'f',
    ],
    ['with the file as a field', form(part('name="file"', 'a')), 'invalid_type', 'file'],
    ['with a field twice', form(purpose, purpose, part(fileHead, 'a')), 'invalid_form', null],
    ['with a bad field', form(part('name="q"', 'bad'), part(fileHead, 'a')), 'bad_field', 'q'],
    ['with a bad filename', form(part('name="file"; filename="a.txt"', 'a')), 'bad_file', null],
    ['with a long field', form(part('name="p"', 'x'.repeat(2_000))), 'invalid_form', null],
    ['with many fields', form(...manyFields(40)), 'invalid_form', null],
    ['with an empty file', form(purpose, part(fileHead, '')), 'empty_input', null],
    ['that is cut in the file', form(part(fileHead, 'abc')).subarray(0, -20), 'invalid_form', null],
    ['that is cut in a head', part(fileHead, '').subarray(0, 40), 'invalid_form', null],
    [
      'with a broken head',
      form(Buffer.from(`--${BOUNDARY}\r\n\u0001:\r\n\r\n`)),
      'invalid_form',
      null,
    ],
    ['that is none', Buffer.from('hello'), 'invalid_form', null],
  ])('%s is refused, and nothing of it is left', async (_, body, code, param) => {
    expect(await answerTo(body)).toMatchObject({ status: 400, code, param });
  });

  it('is refused where its content type says too little', async () => {
    const body = form(part(fileHead, 'a'));
    for (const type of ['multipart/form-data', 'multipart/form-data; boundary=', 'text/plain']) {
      expect(await answerTo(body, type)).toMatchObject({ status: 400, code: 'invalid_form' });
    }
  });

  it('is refused where its file is encoded', async () => {
    const head = `${fileHead}\r\nContent-Transfer-Encoding: base64`;
    expect(await answerTo(form(part(head, 'YQ==')))).toMatchObject({ code: 'invalid_form' });
  });

  it('is refused at the line that is too long, and beyond what may be stored', async () => {
    const { port } = await formServer({ maxLineBytes: 10, maxBytes: 2_000 });
    const long = await send(port, form(part(fileHead, `a\n${'b'.repeat(11)}\nc\n`)));
    expect(long).toMatchObject({ status: 400, code: 'line_too_long' });
    expect(long.message).toContain('Line 2 ');
    const large = await send(port, form(part(fileHead, 'a\n'.repeat(2_000))));
    expect(large).toMatchObject({ status: 413, code: 'too_large' });
  });

  it('that stops coming is given up with 408', async () => {
    const { port, outcomes, folder } = await formServer({ idleMs: 30 });
    const request = httpRequest({ port, host: '127.0.0.1', method: 'POST' });
    request.setHeader('content-type', `multipart/form-data; boundary=${BOUNDARY}`);
    request.on('error', () => undefined);
    const answered = new Promise((resolve) => request.on('response', resolve));
    request.write(part(fileHead, 'abc'));
    await answered;
    expect(await outcomes[0]).toMatchObject({ status: 408 });
    expect(await readdir(folder)).toEqual([]);
    request.destroy();
  });

  it('of a client that went away leaves nothing', async () => {
    const { port, outcomes, folder } = await formServer();
    const request = httpRequest({ port, host: '127.0.0.1', method: 'POST' });
    request.setHeader('content-type', `multipart/form-data; boundary=${BOUNDARY}`);
    request.on('error', () => undefined);
    request.write(part(fileHead, 'abc'));
    while ((await readdir(folder)).length === 0) await new Promise(setImmediate);
    request.destroy();
    expect(await outcomes[0]).toMatchObject({ status: 499 });
    expect(await readdir(folder)).toEqual([]);
  });
});

function manyFields(count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => part(`name="f${index}"`, 'x'));
}
