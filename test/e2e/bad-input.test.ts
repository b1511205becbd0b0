/** Bad input of every kind through the whole program: refused whole, or answered in its place. */

import { describe, expect, test } from 'vitest';

import { asInput, expectNothingSent, readResult, requestLine } from '../support/sets.ts';
import { openScene } from './scene.ts';

const MODEL = 'gpt-4o-mini';
const CHAT = '/v1/chat/completions';
const MAX_BYTES = 2_000;
const MAX_LINE_BYTES = 3_000;
const MAX_INPUTS = 50_000;

interface BadLine {
  readonly code: string;
  /** A part of the reason that is shown. */
  readonly says: string;
  readonly line: string | Buffer;
  /** The id that its error line carries. */
  readonly id: string | null;
}

/** In a set of chat requests; `first` is the id of line 1. */
const BAD_LINES: readonly BadLine[] = [
  bad('invalid_json', 'not valid JSON at byte', '{"custom_id":"cut","method":"POST"', null),
  bad('not_an_object', 'not a JSON object', '["an array"]', null),
  { ...bad('invalid_utf8', 'not valid UTF-8', '', null), line: withByte(0xff) },
  bad('nested_too_deep', 'deeper than 64', requestOf('deep', { x: nested(70) }), null),
  bad('line_too_long', `longer than ${MAX_LINE_BYTES}`, requestOf('long', filler(4_000)), null),
  bad('request_too_large', `at most ${MAX_BYTES} fit`, requestOf('large', filler(2_100)), 'large'),
  bad('duplicate_key', '"body" stands twice', doubled('twice'), 'twice'),
  bad('invalid_custom_id', 'non-empty string', requestLine('', MODEL), null),
  bad('invalid_custom_id', 'non-empty string', requestLine('n', MODEL, { custom_id: 7 }), null),
  bad('duplicate_custom_id', 'line 1 has the same', requestLine('first', MODEL), 'first'),
  bad('duplicate_custom_id', 'line 1 has the same', escapedFirst(), 'first'),
  bad('invalid_method', 'must be "POST"', requestLine('get', MODEL, { method: 'GET' }), 'get'),
  bad('unknown_url', 'is not served', requestLine('url', MODEL, { url: '/v1/none' }), 'url'),
  bad('mixed_url', 'differs from', requestLine('mixed', MODEL, { url: '/v1/responses' }), 'mixed'),
  bad('missing_body', 'body is missing', requestLine('bare', MODEL, { body: undefined }), 'bare'),
  bad('invalid_body', 'must be an object', requestLine('text', MODEL, { body: 'x' }), 'text'),
  bad('missing_model', 'name a model', requestLine('none', MODEL, { body: {} }), 'none'),
  bad(
    'invalid_model',
    'non-empty string',
    requestLine('odd', MODEL, { body: { model: 4 } }),
    'odd',
  ),
  bad('streaming_unsupported', 'cannot stream', requestOf('flow', { stream: true }), 'flow'),
];

/** Line 1 is good, line 2 blank; the bad ones follow from line 3, and a good one is last. */
const FIRST_BAD = 3;
const INPUT = Buffer.concat([
  Buffer.from(`${requestLine('first', MODEL)}\n\n`),
  ...BAD_LINES.map(({ line }) => Buffer.concat([Buffer.from(line), Buffer.from('\n')])),
  Buffer.from(requestLine('last', MODEL)),
]);
const OPTIONS = ['--max-bytes', String(MAX_BYTES)];
const ENV = { BATCHWRIGHT_MAX_LINE_BYTES: String(MAX_LINE_BYTES) };

describe('with --on-invalid fail', () => {
  for (const command of ['run', 'plan'] as const) {
    test(`${command} names every bad line with its reason and sends nothing`, async () => {
      const { place, simulator } = await openScene(INPUT);
      const args = command === 'run' ? place.runArgs(...OPTIONS) : ['plan', place.inputPath];
      const options = command === 'run' ? [] : OPTIONS;
      const ended = await place.command([...args, ...options], ENV);
      expect(ended.code, ended.stderr).toBe(4);
      const said = ended.stderr.split('\n').filter((line) => line.startsWith('line '));
      expect(said).toHaveLength(BAD_LINES.length);
      for (const [index, { says }] of BAD_LINES.entries()) {
        expect(said[index]).toContain(`line ${index + FIRST_BAD}: `);
        expect(said[index]).toContain(says);
      }
      expect(ended.stderr).toContain('--on-invalid skip');
      expectNothingSent(simulator);
    });
  }

  test('the same command on mended input is another run that succeeds', async () => {
    const { place } = await openScene(INPUT);
    expect((await place.command(place.runArgs(...OPTIONS), ENV)).code).toBe(4);
    await place.writeInput(asInput([requestLine('first', MODEL)]));
    expect((await place.command(place.runArgs(...OPTIONS), ENV)).code).toBe(0);
  });

  test('more than a hundred bad lines are listed up to a hundred and counted', async () => {
    const lines = Array.from({ length: 150 }, () => 'nonsense');
    const { place, simulator } = await openScene(Buffer.from(asInput(lines)));
    const ended = await place.command(place.runArgs());
    expect(ended.code).toBe(4);
    expect(ended.stderr.match(/^line \d+: /gm)).toHaveLength(100);
    expect(ended.stderr).toContain('50 more');
    expectNothingSent(simulator);
  });
});

test('with --on-invalid skip every bad line is answered in its place, the rest sent', async () => {
  const { place, simulator } = await openScene(INPUT);
  const ended = await place.command(place.runArgs(...OPTIONS, '--on-invalid', 'skip'), ENV);
  expect(ended.code, ended.stderr).toBe(3);
  const result = await readResult(place.outputPath);
  expect(result.map(({ custom_id: id }) => id)).toEqual([
    'first',
    ...BAD_LINES.map(({ id }) => id),
    'last',
  ]);
  const codes = result.map(({ error }) => error?.code ?? null);
  expect(codes).toEqual([null, ...BAD_LINES.map(({ code }) => code), null]);
  const numbers = result.slice(1, -1).map(({ error }) => error?.line);
  expect(numbers).toEqual(BAD_LINES.map((_line, index) => index + FIRST_BAD));
  expect(simulator.ledger.totals().requestsExecuted).toBe(2);
});

test('a set whose first line names no url needs --endpoint', async () => {
  const { place, simulator } = await openScene(
    Buffer.from(asInput([requestLine('first', MODEL, { url: undefined, method: undefined })])),
  );
  const refused = await place.command(place.runArgs());
  expect(refused.code).toBe(4);
  expect(refused.stderr).toContain('line 1: url is missing');
  expectNothingSent(simulator);
  const ended = await place.command(place.runArgs('--endpoint', CHAT));
  expect(ended.code, ended.stderr).toBe(0);
});

test('an embeddings request with more inputs than a batch takes is refused', async () => {
  const input = Array.from({ length: MAX_INPUTS + 1 }, () => 'x');
  const url = '/v1/embeddings';
  const lines = [
    requestLine('few', MODEL, { url, body: { model: MODEL, input: ['a', 'b'] } }),
    requestLine('many', MODEL, { url, body: { model: MODEL, input } }),
    requestLine('none', MODEL, { url, body: { model: MODEL } }),
  ];
  const { place, simulator } = await openScene(Buffer.from(asInput(lines)));
  const ended = await place.command(place.runArgs());
  expect(ended.code).toBe(4);
  expect(ended.stderr).toContain(`line 2: body.input holds ${MAX_INPUTS + 1} inputs`);
  expect(ended.stderr).toContain('line 3: body.input must be');
  expectNothingSent(simulator);
});

describe('input that is no request set', () => {
  for (const [words, bytes, code, says] of [
    ['empty', Buffer.from(''), 4, /holds no request line/],
    ['blank', Buffer.from('\n\r\n  \n'), 4, /holds no request line/],
    ['a damaged gzip', Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3, 4]), 2, /gzip/i],
  ] as const) {
    test(`${words}: the exit code is ${code} and nothing is sent`, async () => {
      const { place, simulator } = await openScene(bytes);
      const ended = await place.command(place.runArgs());
      expect(ended.code, ended.stderr).toBe(code);
      expect(ended.stderr).toMatch(says);
      expectNothingSent(simulator);
    });
  }
});

function bad(code: string, says: string, line: string, id: string | null): BadLine {
  return { code, says, line, id };
}

/** A request with more in its body. */
function requestOf(id: string, more: object): string {
  return requestLine(id, MODEL, { body: { model: MODEL, messages: [], ...more } });
}

function filler(length: number): object {
  return { metadata: { filler: 'x'.repeat(length) } };
}

function nested(depth: number): unknown {
  return JSON.parse('['.repeat(depth) + ']'.repeat(depth));
}

function doubled(id: string): string {
  return `{"body":{},${requestLine(id, MODEL).slice(1)}`;
}

/** The id of line 1 in other bytes. */
function escapedFirst(): string {
  return requestLine('@', MODEL).replace('"@"', String.raw`"\u0066irst"`);
}

function withByte(byte: number): Buffer {
  const [before = '', after = ''] = requestLine('utf8', MODEL).split('Classify');
  return Buffer.concat([Buffer.from(before), Buffer.from([byte]), Buffer.from(after)]);
}
