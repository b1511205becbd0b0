import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AnswersIndexReader } from '../../../src/stages/answers/answers-index-reader.ts';
import { checkAnswers } from '../../../src/stages/answers/check.ts';
import type { AnswersReport } from '../../../src/stages/answers/check.ts';
import { expiredLine, httpErrorLine, successLine, temporaryFolder } from './made-answers.ts';

interface FoundEntry {
  kind: string;
  isError: boolean;
  offset: number;
  length: number;
  id: string;
  class: string | undefined;
}

function check(
  output: string | Buffer | null,
  errors: string | Buffer | null = null,
): { report: AnswersReport; entries: FoundEntry[] } {
  using folder = temporaryFolder();
  const outputPath = output === null ? null : join(folder.path, 'output.jsonl');
  const errorPath = errors === null ? null : join(folder.path, 'errors.jsonl');
  if (outputPath !== null) writeFileSync(outputPath, output ?? '');
  if (errorPath !== null) writeFileSync(errorPath, errors ?? '');
  const indexPath = join(folder.path, 'answers.idx');
  const report = checkAnswers({ outputPath, errorPath, indexPath });
  const reader = new AnswersIndexReader(indexPath);
  const entries: FoundEntry[] = [];
  while (reader.next()) {
    const { kind, isError, offset, length, classNumber } = reader.entry;
    const id = reader.bytes.toString('utf8', reader.textStart, reader.textEnd);
    entries.push({ kind, isError, offset, length, id, class: reader.names[classNumber] });
  }
  reader.close();
  return { report, entries };
}

describe('checkAnswers', () => {
  test('counts the lines of both files by what follows from them', () => {
    const output = successLine('a') + successLine('b');
    const errors =
      httpErrorLine('c', 400, 'context_length_exceeded') +
      httpErrorLine('d', 429, 'rate_limit_exceeded') +
      httpErrorLine('e', 429, 'insufficient_quota') +
      expiredLine('f');
    const { report, entries } = check(output, errors);
    expect(report.lines).toBe(6);
    expect(report.counts).toEqual({ success: 2, final: 1, again: 2, quota: 1 });
    expect(report.hasQuota).toBe(true);
    expect(report.byClass).toEqual({
      ok: 2,
      '400 context_length_exceeded': 1,
      '429 rate_limit_exceeded': 1,
      '429 insufficient_quota': 1,
      batch_expired: 1,
    });
    expect(report.cut).toBe(false);
    expect(entries.map(({ id, isError }) => [id, isError])).toEqual([
      ['a', false],
      ['b', false],
      ['c', true],
      ['d', true],
      ['e', true],
      ['f', true],
    ]);
  });

  test('sums the usage of chat, responses and embeddings by model', () => {
    const line = (id: string, body: unknown): string =>
      `${JSON.stringify({ custom_id: id, response: { status_code: 200, body }, error: null })}\n`;
    const chat = {
      model: 'gpt-4o-mini-2024-07-18',
      usage: {
        prompt_tokens: 10,
        completion_tokens: 4,
        total_tokens: 14,
        prompt_tokens_details: { cached_tokens: 8, audio_tokens: 1 },
        completion_tokens_details: { reasoning_tokens: 3 },
      },
    };
    const response = {
      model: 'gpt-5',
      error: null,
      usage: {
        input_tokens: 100,
        input_tokens_details: { cached_tokens: 50 },
        output_tokens: 20,
        output_tokens_details: { reasoning_tokens: 15 },
        total_tokens: 120,
      },
    };
    const embedding = { model: 'emb', usage: { prompt_tokens: 7, total_tokens: 7 } };
    const text = [chat, chat, response, embedding, { model: 'bare' }, { usage: null }];
    const { report } = check(text.map((body, index) => line(String(index), body)).join(''));
    const sums = (...of: number[]) => ({
      answers: of[0],
      inputTokens: of[1],
      outputTokens: of[2],
      totalTokens: of[3],
      cachedTokens: of[4],
      reasoningTokens: of[5],
    });
    expect(report.usage).toEqual({
      'gpt-4o-mini-2024-07-18': sums(2, 20, 8, 28, 16, 6),
      'gpt-5': sums(1, 100, 20, 120, 50, 15),
      bare: sums(1, 0, 0, 0, 0, 0),
      emb: sums(1, 7, 0, 7, 0, 0),
    });
  });

  test('counts and locates lines that are not answers, and goes on', () => {
    const bad = [
      'no json\n',
      '{"custom_id":"x","response":{"status_code":200,"body":{}}\n',
      '[{"custom_id":"x"}]\n',
      '{"response":null}\n',
      '{"custom_id":7}\n',
      '{"custom_id":"x","custom_id":"y"}\n',
      '{"custom_id":"x"} {}\n',
    ];
    const badBytes = Buffer.from('{"custom_id":"a\u00ff"}\n', 'latin1');
    const file = Buffer.concat([
      Buffer.from(successLine('a')),
      ...bad.map((line) => Buffer.from(line)),
      badBytes,
      Buffer.from(successLine('b')),
    ]);
    const { report, entries } = check(file);
    expect(report.unparsable).toBe(bad.length + 1);
    expect(report.counts.success).toBe(2);
    const first = successLine('a').length;
    expect(report.unparsableAt[0]).toEqual({ file: 'output', line: 2, offset: first });
    expect(report.unparsableAt.map(({ line }) => line)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    const raw = entries.filter(({ kind }) => kind === 'unparsable');
    const texts = raw.map(({ offset, length }) => file.subarray(offset, offset + length));
    expect(Buffer.concat(texts)).toEqual(
      Buffer.concat([...bad.map((line) => Buffer.from(line.trimEnd())), badBytes.subarray(0, -1)]),
    );
  });

  test('finds a file that was cut within its last line, parsable or not', () => {
    const whole = successLine('a') + successLine('b');
    expect(check(whole).report.cut).toBe(false);
    const withoutNewline = check(whole.slice(0, -1)).report;
    expect(withoutNewline).toMatchObject({ cut: true, unparsable: 0, lines: 2 });
    const within = check(whole.slice(0, -9)).report;
    expect(within).toMatchObject({ cut: true, unparsable: 1, lines: 2 });
    expect(check(successLine('a'), expiredLine('b').trimEnd()).report.cut).toBe(true);
  });

  test('ignores blank lines, a byte order mark and carriage returns', () => {
    const text = `\uFEFF${successLine('a')}\n \t\r\n${successLine('b').trimEnd()}\r\n  `;
    const { report, entries } = check(text);
    expect(report).toMatchObject({ lines: 2, unparsable: 0, cut: false });
    expect(entries[0]).toMatchObject({ id: 'a', offset: 3 });
  });

  test('takes missing and empty files as no answers', () => {
    for (const [output, errors] of [
      [null, null],
      ['', null],
      [null, ''],
    ] as const) {
      const { report, entries } = check(output, errors);
      expect(report).toMatchObject({ lines: 0, cut: false, hasQuota: false, byClass: {} });
      expect(entries).toEqual([]);
    }
  });

  test('keeps lines apart that hold line separators of other kinds, and lines over a block', () => {
    const long = successLine('long', 'x'.repeat(700_000));
    const { report, entries } = check(
      successLine('u', 'a\u2028b\u2029c') + long + successLine('z'),
    );
    expect(report.counts.success).toBe(3);
    expect(entries.map(({ id }) => id)).toEqual(['u', 'long', 'z']);
    expect(entries[1]?.length).toBe(long.length - 1);
  });

  test('keeps classes and models that are named like parts of an object', () => {
    const body = '{"model":"__proto__","usage":{"total_tokens":2}}';
    const success = `{"custom_id":"a","response":{"status_code":200,"body":${body}}}\n`;
    const { report } = check(success, httpErrorLine('b', 400, '__proto__'));
    expect(Object.keys(report.usage)).toEqual(['__proto__']);
    expect(report.byClass).toEqual({ ok: 1, '400 __proto__': 1 });
  });

  test('bounds the classes that an answer file can make up', () => {
    const lines = Array.from({ length: 1000 }, (_, i) => httpErrorLine(`${i}`, 400, `code_${i}`));
    const { report } = check(null, lines.join(''));
    expect(Object.keys(report.byClass).length).toBeLessThanOrEqual(201);
    expect(report.byClass['other']).toBeGreaterThan(700);
    expect(report.counts.final).toBe(1000);
  });

  test('refuses an index that is not whole', () => {
    using folder = temporaryFolder();
    const outputPath = join(folder.path, 'output.jsonl');
    const indexPath = join(folder.path, 'answers.idx');
    writeFileSync(outputPath, successLine('a') + successLine('b'));
    checkAnswers({ outputPath, errorPath: null, indexPath });
    const whole = readFileSync(indexPath);
    for (const length of [0, 10, whole.length - 1, whole.length - 52]) {
      writeFileSync(indexPath, whole.subarray(0, length));
      const read = (): void => {
        const reader = new AnswersIndexReader(indexPath);
        try {
          while (reader.next());
        } finally {
          reader.close();
        }
      };
      expect(read, `${length} of ${whole.length} bytes`).toThrow('not whole');
    }
  });

  test('agrees with JSON.parse on any line', () => {
    const lines = fc.array(fc.oneof(anyAnswer(), mutated(anyAnswer())), { maxLength: 12 });
    fc.assert(
      fc.property(lines, (texts) => {
        const { report, entries } = check(texts.map((text) => `${text}\n`).join(''));
        const expected = texts.filter((text) => text.trim() !== '').map(naiveId);
        expect(entries.map(({ kind, id }) => (kind === 'unparsable' ? null : id))).toEqual(
          expected,
        );
        expect(report.unparsable).toBe(expected.filter((id) => id === null).length);
      }),
      { numRuns: 150 },
    );
  });
});

/** The id that a careful reader finds, or null. */
function naiveId(text: string): string | null {
  try {
    const line: unknown = JSON.parse(text);
    if (typeof line !== 'object' || line === null || Array.isArray(line)) return null;
    const id = (line as Record<string, unknown>)['custom_id'];
    return typeof id === 'string' ? id.toWellFormed() : null;
  } catch {
    return null;
  }
}

function anyAnswer(): fc.Arbitrary<string> {
  const id = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', 'é', '\u2028'));
  const body = fc.oneof(fc.constant(null), fc.object(), fc.record({ usage: fc.object() }));
  const response = fc.record({ status_code: fc.integer({ min: 0, max: 600 }), body });
  const line = { id: fc.string(), custom_id: id, response, error: fc.constant(null) };
  return fc
    .tuple(fc.record(line, { requiredKeys: ['custom_id'] }), fc.boolean())
    .map(([value, isEscaped]) => {
      const text = JSON.stringify(value);
      return isEscaped ? text.replaceAll(/[^ -~]/g, escaped) : text;
    });
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Breaks a text somewhere; never makes a key stand twice. */
function mutated(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const piece = fc.constantFrom('', '"', '\\', '{', '}', ',', ':', '1', '\u0001', ' ', 'null');
  return fc.tuple(texts, fc.nat(), fc.nat({ max: 2 }), piece).map(([text, at, length, insert]) => {
    const from = at % (text.length + 1);
    return text.slice(0, from) + insert + text.slice(from + length);
  });
}
