import { expect, test } from 'vitest';
import { batchFrom, fileFrom } from '../../../src/adapters/openai/objects.ts';
import { createCleaner } from '../../../src/adapters/openai/provider-text.ts';
import { batchJson } from './stage.ts';

const clean = createCleaner('sk-0123456789abcdef');
const read = (changes: Record<string, unknown>) => batchFrom(batchJson(changes), clean);

test('a batch as OpenAI sends it is read field by field', () => {
  expect(
    read({
      status: 'completed',
      output_file_id: 'file-2',
      error_file_id: 'file-3',
      errors: {
        object: 'list',
        data: [{ code: 'invalid_url', line: 7, message: 'Bad.', param: 'url' }],
      },
    }),
  ).toEqual({
    id: 'batch_1',
    status: 'completed',
    inputFileId: 'file-1',
    outputFileId: 'file-2',
    errorFileId: 'file-3',
    createdAtMs: 1_790_000_000_000,
    counts: { total: 3, completed: 1, failed: 0 },
    errors: [{ code: 'invalid_url', line: 7, message: 'Bad.', param: 'url' }],
    metadata: { job: 'job_1' },
  });
});

test('null, absent and empty all mean nothing', () => {
  const nothing = {
    status: 'unknown',
    inputFileId: null,
    outputFileId: null,
    errorFileId: null,
    createdAtMs: 0,
    counts: null,
    errors: [],
    metadata: {},
  };
  expect(batchFrom({ id: 'b' }, clean)).toEqual({ id: 'b', ...nothing });
  const keys = Object.keys(batchJson()).filter((key) => key !== 'id');
  for (const value of [null, '', ' ']) {
    const fields = Object.fromEntries(keys.map((key) => [key, value]));
    expect(batchFrom({ id: 'b', ...fields }, clean)).toMatchObject({
      outputFileId: null,
      errorFileId: null,
      createdAtMs: 0,
      counts: null,
    });
  }
});

test('statuses become lower-case, and unknown ones pass', () => {
  expect(read({ status: 'COMPLETED' }).status).toBe('completed');
  expect(read({ status: 'Resting' }).status).toBe('resting');
});

test.each([
  [1_790_000_000, 1_790_000_000_000],
  [1_790_000_000.5, 1_790_000_000_500],
  ['1790000000', 1_790_000_000_000],
  [1_790_000_000_123, 1_790_000_000_123],
  ['2026-11-22T16:00:00Z', 1_795_363_200_000],
  ['2026-11-22T16:00:00.000000+00:00', 1_795_363_200_000],
  ['2026-11-22T16:00:00', 1_795_363_200_000],
  ['2026-11-22 16:00:00', 1_795_363_200_000],
  ['2026-11-22', 1_795_305_600_000],
  ['yesterday', 0],
  ['in 5 days', 0],
  [-5, 0],
  [Number.NaN, 0],
  [{}, 0],
])('the time %j is read whatever the zone of the machine', (value, expected) => {
  expect(read({ created_at: value }).createdAtMs).toBe(expected);
});

test('counts that are not stated are not taken for zero', () => {
  expect(read({ request_counts: { total: 3, completed: null, failed: null } }).counts).toBeNull();
  expect(read({ request_counts: { completed: 3 } }).counts).toBeNull();
  expect(read({ request_counts: { total: '3', completed: 2 } }).counts).toEqual({
    total: 3,
    completed: 2,
    failed: 0,
  });
});

test('errors are read from an envelope, a plain list and a text', () => {
  const plain = [{ code: 'x', message: 'm' }];
  const expected = [{ code: 'x', message: 'm', line: null, param: null }];
  expect(read({ errors: plain }).errors).toEqual(expected);
  expect(read({ errors: { data: plain } }).errors).toEqual(expected);
  expect(read({ errors: 'it broke' }).errors).toEqual([
    { code: 'unknown', message: 'it broke', line: null, param: null },
  ]);
  expect(read({ errors: { data: null } }).errors).toEqual([]);
  expect(read({ errors: [{ line: 0 }, { line: 1.5 }, { line: '4' }] }).errors).toMatchObject([
    { line: null },
    { line: null },
    { line: 4 },
  ]);
});

test('the texts of errors are bounded, on one line and without the key', () => {
  const message = `a\n\u001b[2Jsk-0123456789abcdef ${'😀'.repeat(5_000)}`;
  const [error] = read({ errors: [{ code: 'c', message }] }).errors;
  expect(error?.message).toMatch(/^a \[2J\[key\] 😀/u);
  expect(error?.message.length).toBeLessThanOrEqual(1_001);
  expect(error?.message.isWellFormed()).toBe(true);
});

test('metadata with odd keys comes through, values that are no texts do not', () => {
  const metadata = JSON.parse('{"__proto__":"p","constructor":"c","n":1,"u":null}') as unknown;
  expect(Object.entries(read({ metadata }).metadata)).toEqual([
    ['__proto__', 'p'],
    ['constructor', 'c'],
  ]);
});

test.each([null, [], 'batch_1', 7, {}, { id: null }, { id: '' }, { id: 7 }])(
  '%j is not a batch, nor a file',
  (value) => {
    expect(() => batchFrom(value, clean)).toThrow('was expected');
    expect(() => fileFrom(value)).toThrow('was expected');
  },
);

test('a file without a stated size or name has size 0 and no name', () => {
  expect(fileFrom({ id: 'file-1', bytes: null })).toEqual({
    id: 'file-1',
    filename: '',
    sizeBytes: 0,
    createdAtMs: 0,
  });
});
