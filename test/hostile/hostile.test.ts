/** The real program against a Batch server that goes wrong in every way, killed in the middle. */

import { expect, test } from 'vitest';
import { runCase } from './case.ts';
import { MAX_ATTEMPTS, wrongWith } from './audit.ts';
import type { Batch, StoredFile } from './ledger.ts';
import { Ledger } from './ledger.ts';

/** Each has many kinds of mischief; the runner goes through hundreds. */
test.each([3, 18, 33])('gets all that can be got from a hostile server, seed %i', async (seed) => {
  const report = await runCase(seed);
  expect(report.wrong, `node test/hostile/run.ts --seed ${seed}`).toEqual([]);
  expect(report.succeeded).toBeGreaterThan(report.requests / 2);
  expect(report.mischief.size).toBeGreaterThan(3);
});

test('tells what a careless program would do wrong', () => {
  const ledger = new Ledger();
  const lines = [
    { text: request('a'), customId: 'a' },
    { text: request('b'), customId: 'b' },
  ];
  const first = batch(1, 'file-1', lines);
  const second = batch(2, 'file-2', lines);
  for (const one of [first, second]) {
    ledger.batches.push(one);
    for (const customId of ['a', 'b']) {
      const line = `{"custom_id":"${customId}","n":${one.number}}`;
      ledger.add({ customId, batch: one, line, success: true, billed: true, readable: true });
      one.successes.set(customId, [{ text: line, inErrors: false }]);
    }
  }
  const good = '{"custom_id":"a","n":1}\n{"custom_id":"b","n":2}\n';
  const twice = ['"a" is billed by batch-1, batch-2', '"b" is billed by batch-1, batch-2'];
  expect(wrongWith(good, lines, ledger)).toEqual(twice);
  const own = `{"custom_id":"b","error":{"code":"attempts_exhausted","line":2}}`;
  const swapped = good.split('\n').slice(0, 2).toReversed().join('\n');
  for (const [result, words] of [
    [null, /no result/],
    [good.slice(0, -1), /newline/],
    [good.split('\n').slice(0, 1).join('\n') + '\n', /1 answer lines for 2/],
    [`${swapped}\n`, /"a" is answered with/],
    [good.replace('"n":1', '"n": 1'), /has not the success/],
    [good.replace(/\{"custom_id":"b".*/, own), /"b" has not the success/],
  ] as const) {
    expect(wrongWith(result, lines, ledger)[0]).toMatch(words);
  }
  for (const one of ledger.batches) one.successes.delete('b');
  const given = good.replace(/\{"custom_id":"b".*/, own);
  expect(wrongWith(given, lines, ledger)).toContain('"b": given up after 2 batches');
  const passing = `{"custom_id":"b","response":{"status_code":503},"error":null}`;
  ledger.add({
    customId: 'b',
    batch: first,
    line: passing,
    success: false,
    billed: false,
    readable: false,
  });
  const early = good.replace(/\{"custom_id":"b".*/, passing);
  expect(wrongWith(early, lines, ledger)).toContain(`"b" has ${passing} after 2 batches only`);
  expect(MAX_ATTEMPTS).toBeGreaterThan(2);
});

test('tells files that are left, but for those of answers that are not whole', () => {
  const ledger = new Ledger();
  const lines = [{ text: request('a'), customId: 'a' }];
  const one = batch(1, 'file-1', lines);
  ledger.batches.push(one);
  const answer = `{"custom_id":"a","response":{"status_code":200}}`;
  ledger.add({
    customId: 'a',
    batch: one,
    line: answer,
    success: true,
    billed: true,
    readable: true,
  });
  one.successes.set('a', [{ text: answer, inErrors: false }]);
  one.output = file('file-2', `${answer}\n`);
  ledger.files.set(one.output.id, one.output);
  one.counted = { total: 1, completed: 1, failed: 0 };
  expect(wrongWith(`${answer}\n`, lines, ledger)).toEqual([
    'file-2 (batch_output) is left at the server',
  ]);
  one.counted = { total: 2, completed: 2, failed: 0 };
  expect(wrongWith(`${answer}\n`, lines, ledger)).toEqual([]);
  one.output.deleted = true;
  expect(wrongWith(`${answer}\n`, lines, ledger).join()).toMatch(/file-2 is deleted, though/);
});

function request(id: string): string {
  return JSON.stringify({ custom_id: id });
}

function file(id: string, content: string): StoredFile {
  return {
    id,
    filename: 'answers.jsonl',
    createdAtS: 0,
    purpose: 'batch_output',
    content: Buffer.from(content),
    deleted: false,
    isHandedOut: true,
  };
}

function batch(number: number, inputFileId: string, lines: readonly { text: string }[]): Batch {
  return {
    id: `batch-${number}`,
    number,
    inputFileId,
    isTwin: false,
    createdMs: 0,
    metadata: {},
    lines: lines.map(({ text }) => text),
    status: 'completed',
    sinceMs: 0,
    executed: [],
    output: null,
    errors: null,
    validation: [],
    successes: new Map(),
    counted: null,
    hiddenLists: 0,
    looks: 1,
    errorsNamed: true,
  };
}
