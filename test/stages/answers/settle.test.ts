import { existsSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { settleChunk } from '../../../src/stages/answers/settle.ts';
import type { SettledPart } from '../../../src/stages/answers/settle.ts';
import type { AttemptAnswers } from '../../../src/stages/answers/assess.ts';
import type { Close } from '../../../src/domain/chunk.ts';
import {
  expiredLine,
  httpErrorLine,
  linesOf,
  makeAttempt,
  makeChunk,
  rejectedLine,
  sent,
  successLine,
  temporaryFolder,
} from './made-answers.ts';
import type { MadeLine } from './made-answers.ts';

const EXHAUSTED: Close = { code: 'attempts_exhausted', message: 'No answer after 3 attempts.' };

interface Settled {
  part: SettledPart;
  lines: string[];
  quarantine: string | null;
}

function settle(
  folder: string,
  lines: readonly MadeLine[],
  attempts: readonly AttemptAnswers[],
  close: Close | null = null,
): Settled {
  const partPath = join(folder, 'part.jsonl');
  const quarantinePath = join(folder, 'quarantine.jsonl');
  const chunk = makeChunk(folder, lines);
  const part = settleChunk({ ...chunk, attempts, close, partPath, quarantinePath });
  const quarantine = existsSync(quarantinePath) ? readFileSync(quarantinePath, 'utf8') : null;
  expect(part.crc32).toBe(crc32(readFileSync(partPath)).toString(16).padStart(8, '0'));
  expect(part.sizeBytes).toBe(readFileSync(partPath).length);
  return { part, lines: linesOf(partPath), quarantine };
}

describe('settleChunk', () => {
  test('writes one line for every record, in input order, byte for byte', () => {
    using folder = temporaryFolder();
    const odd = successLine('c').replace(
      '"answer"',
      ' "number":12345678901234567890, "one":1.0,"answer"',
    );
    const rejected = { line: 9, rawId: null, rejected: true };
    const again = { line: 12, rawId: 'b', rejected: true };
    const made = [sent(1, 'a'), sent(4, 'b'), rejected, sent(11, 'c'), again, sent(13, 'd')];
    const errors = httpErrorLine('d', 400, 'bad');
    const attempt = makeAttempt(folder.path, 1, odd + successLine('b') + successLine('a'), errors);
    const { part, lines, quarantine } = settle(folder.path, made, [attempt]);
    expect(lines).toEqual([
      successLine('a'),
      successLine('b'),
      rejectedLine(rejected),
      odd,
      rejectedLine(again),
      errors,
    ]);
    expect(part).toMatchObject({ lines: 6, succeeded: 3, failed: 1, rejected: 2 });
    expect(part.byClass).toEqual({ ok: 3, '400 bad': 1 });
    expect(part.usage['gpt-4o-mini']).toMatchObject({ answers: 3, totalTokens: 15 });
    expect(quarantine).toBeNull();
  });

  test('answers what stays pending with the reason and the last answer', () => {
    using folder = temporaryFolder();
    const made = [sent(3, 'é\\u2028"'.replace('"', '\\"')), sent(70_000_000_001, 'b')];
    const attempt = makeAttempt(folder.path, 1, null, expiredLine('b'));
    const { part, lines } = settle(folder.path, made, [attempt], EXHAUSTED);
    expect(lines).toEqual([
      '{"id":"batchwright-3","custom_id":"é\\u2028\\"","response":null,"error":' +
        '{"code":"attempts_exhausted","message":"No answer after 3 attempts.","line":3}}\n',
      '{"id":"batchwright-70000000001","custom_id":"b","response":null,' +
        '"error":{"code":"attempts_exhausted","message":' +
        '"No answer after 3 attempts. Its last answer: batch_expired.","line":70000000001}}\n',
    ]);
    expect(part).toMatchObject({ succeeded: 0, failed: 2, rejected: 0 });
    expect(part.byClass).toEqual({ batch_expired: 1, no_answer: 1 });
  });

  test('throws where a request is pending and nothing says why', () => {
    using folder = temporaryFolder();
    const attempt = makeAttempt(folder.path, 1, successLine('a'));
    const made = [sent(1, 'a'), sent(2, 'b')];
    expect(() => settle(folder.path, made, [attempt])).toThrow('line 2 is pending');
  });

  test('answers lines that failed validation with the words of the provider', () => {
    using folder = temporaryFolder();
    const made = [sent(1, 'a'), sent(5, 'b'), sent(6, 'c')];
    const error = { code: 'invalid_request', message: 'Missing "model"', line: 2 };
    const invalid: AttemptAnswers = { kind: 'invalid', attempt: 1, errors: [error] };
    const attempt = makeAttempt(folder.path, 2, successLine('c') + successLine('a'));
    const { part, lines } = settle(folder.path, made, [invalid, attempt]);
    expect(lines[1]).toBe(
      '{"id":"batchwright-5","custom_id":"b","response":null,' +
        '"error":{"code":"invalid_request","message":"Missing \\"model\\"","line":5}}\n',
    );
    expect(part).toMatchObject({ succeeded: 2, failed: 1 });
    expect(part.byClass).toEqual({ ok: 2, invalid_request: 1 });
  });

  test('keeps strangers and lines that do not parse, raw, beside the part', () => {
    using folder = temporaryFolder();
    const stranger = successLine('nobody');
    const long = `x${'y'.repeat(600_000)}\n`;
    const output = `no json \r\n${stranger}${successLine('a')}${long}`;
    const rejectedId = httpErrorLine('r', 400, 'c');
    const attempt = makeAttempt(folder.path, 1, output, rejectedId);
    const made = [{ line: 1, rawId: 'r', rejected: true }, sent(2, 'a')];
    const { part, quarantine } = settle(folder.path, made, [attempt]);
    expect(part).toMatchObject({ strangers: 2, unparsable: 2, succeeded: 1, rejected: 1 });
    expect(quarantine).toBe(`no json \r\n${stranger}${long}${rejectedId}`);
  });

  test('answers for good what cannot be read, where its line still says whose it is', () => {
    using folder = temporaryFolder();
    const cut = `${successLine('é').slice(0, -12)}\n`;
    const mangled = Buffer.from(successLine('b').replace('answer', 'answ\u00ff'), 'latin1');
    const output = Buffer.concat([Buffer.from(cut), mangled, Buffer.from(successLine('a'))]);
    const made = [sent(1, 'a'), sent(2, 'b'), sent(5, '\\u00e9')];
    const attempt = makeAttempt(folder.path, 1, output);
    const { part, lines } = settle(folder.path, made, [attempt]);
    expect(lines[0]).toBe(successLine('a'));
    expect(lines[1]).toMatch(
      /^\{"id":"batchwright-2","custom_id":"b",.*"code":"answer_unreadable",.*"line":2\}\}\n$/,
    );
    expect(lines[2]).toMatch(/"custom_id":"\\u00e9".*"code":"answer_unreadable"/);
    expect(part).toMatchObject({ succeeded: 1, failed: 2, unparsable: 2, strangers: 0 });
    expect(part.byClass).toEqual({ ok: 1, answer_unreadable: 2 });
    const raw = readFileSync(join(folder.path, 'quarantine.jsonl'));
    expect(raw.equals(Buffer.concat([Buffer.from(cut), mangled]))).toBe(true);
  });

  test('prefers a success to a line that cannot be read, whichever comes first', () => {
    using folder = temporaryFolder();
    const cut = (id: string) => `${successLine(id).slice(0, -12)}\n`;
    const first = makeAttempt(folder.path, 1, successLine('a') + cut('a') + cut('b'));
    const stray = makeAttempt(folder.path, 2, successLine('b'));
    const { part, lines } = settle(folder.path, [sent(1, 'a'), sent(2, 'b')], [first, stray]);
    expect(lines).toEqual([successLine('a'), successLine('b')]);
    expect(part).toMatchObject({ succeeded: 2, failed: 0, unparsable: 2 });
  });

  test('adds the newline that a cut file lacks', () => {
    using folder = temporaryFolder();
    const attempt = makeAttempt(folder.path, 1, successLine('a').trimEnd());
    const { lines } = settle(folder.path, [sent(1, 'a')], [attempt]);
    expect(lines).toEqual([successLine('a')]);
  });

  test('copies lines that are larger than its blocks', () => {
    using folder = temporaryFolder();
    const lines = ['a', 'b', 'c'].map((id, index) => successLine(id, 'x'.repeat(index * 400_000)));
    const attempt = makeAttempt(folder.path, 1, lines.toReversed().join(''));
    const settled = settle(folder.path, [sent(1, 'a'), sent(2, 'b'), sent(3, 'c')], [attempt]);
    expect(settled.lines.map((line) => line.length)).toEqual(lines.map((line) => line.length));
    expect(settled.lines.join('') === lines.join('')).toBe(true);
  });

  test('throws where an answers file is shorter than its index says', () => {
    using folder = temporaryFolder();
    const attempt = makeAttempt(folder.path, 1, successLine('a') + successLine('b'));
    if (attempt.kind === 'answers' && attempt.outputPath !== null) {
      truncateSync(attempt.outputPath, successLine('a').length + 10);
    }
    const made = [sent(1, 'a'), sent(2, 'b')];
    expect(() => settle(folder.path, made, [attempt])).toThrow('shorter than its index');
  });
});
