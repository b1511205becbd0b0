import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assessChunk } from '../../../src/stages/answers/assess.ts';
import type { Assessment, AttemptAnswers } from '../../../src/stages/answers/assess.ts';
import { settleChunk } from '../../../src/stages/answers/settle.ts';
import {
  expiredLine,
  httpErrorLine,
  linesOf,
  makeAttempt,
  makeChunk,
  rejectedLine,
  requestLine,
  sent,
  successLine,
  temporaryFolder,
} from './made-answers.ts';
import type { MadeLine } from './made-answers.ts';

function assess(
  folder: string,
  lines: readonly MadeLine[],
  attempts: readonly AttemptAnswers[],
): { assessment: Assessment; pending: string } {
  const chunk = makeChunk(folder, lines);
  const assessment = assessChunk({ ...chunk, attempts });
  const requests = readFileSync(chunk.requestsPath);
  const pieces = assessment.pendingRanges.map(({ start, end }) => requests.subarray(start, end));
  return { assessment, pending: Buffer.concat(pieces).toString() };
}

const FIVE = ['a', 'b', 'c', 'd', 'e'].map((id, index) => sent(index + 1, id));

describe('assessChunk', () => {
  test('finds everything pending where nothing was answered', () => {
    using folder = temporaryFolder();
    const rejected = { line: 3, rawId: 'a', rejected: true };
    const { assessment, pending } = assess(folder.path, [sent(1, 'a'), rejected, sent(4, 'b')], []);
    expect(assessment.counts).toEqual({ requests: 2, succeeded: 0, failed: 0, pending: 2 });
    expect(assessment.pendingRanges.length).toBe(1);
    expect(pending).toBe(requestLine('a') + requestLine('b'));
    expect(assessment.pendingBytes).toBe(pending.length);
    expect(assessment.byClass).toEqual({ no_answer: 2 });
  });

  test('sends again what deserves it, alone, in order', () => {
    using folder = temporaryFolder();
    const output = successLine('d') + successLine('a');
    const errors = expiredLine('e') + httpErrorLine('c', 400, 'bad') + expiredLine('x');
    const attempt = makeAttempt(folder.path, 1, output, errors);
    const { assessment, pending } = assess(folder.path, FIVE, [attempt]);
    expect(assessment.counts).toEqual({ requests: 5, succeeded: 2, failed: 1, pending: 2 });
    expect(pending).toBe(requestLine('b') + requestLine('e'));
    expect(assessment).toMatchObject({ strangers: 1, duplicates: 0, quota: false, invalid: null });
    expect(assessment.byClass).toEqual({ ok: 2, '400 bad': 1, batch_expired: 1, no_answer: 1 });
  });

  test('sends again what an unreadable line does not name, or names as a failure', () => {
    using folder = temporaryFolder();
    const output =
      '{"id":"batch_req_1","custom\n' +
      '{"custom_id":"a","custom_id":"b"}\n' +
      '{"custom_id":"c","response":{"body":{"metadata":{"custom_id":"d"},\n';
    const errors = '{"custom_id":"e","response":\n';
    const attempt = makeAttempt(folder.path, 1, output, errors);
    const { assessment, pending } = assess(folder.path, FIVE, [attempt]);
    expect(pending).toBe(['a', 'b', 'd', 'e'].map(requestLine).join(''));
    expect(assessment).toMatchObject({ unparsable: 4, strangers: 0 });
    expect(assessment.byClass).toEqual({ answer_unreadable: 1, no_answer: 4 });
  });

  test('takes a success of a later attempt, and tells the last reason of others', () => {
    using folder = temporaryFolder();
    const first = makeAttempt(
      folder.path,
      1,
      null,
      FIVE.map(({ rawId }) => expiredLine(rawId ?? '')).join(''),
    );
    const second = makeAttempt(folder.path, 2, successLine('b'), httpErrorLine('c', 500, 'x'));
    const { assessment } = assess(folder.path, FIVE, [first, second]);
    expect(assessment.counts).toMatchObject({ succeeded: 1, failed: 0, pending: 4 });
    expect(assessment.byClass).toEqual({ ok: 1, '500 x': 1, batch_expired: 3 });
    expect(assessment.duplicates).toBe(0);
  });

  test('keeps the first success, and counts later answers that say something else', () => {
    using folder = temporaryFolder();
    const output = successLine('a', 1) + successLine('a', 1) + successLine('a', 2);
    const first = makeAttempt(folder.path, 1, output, httpErrorLine('b', 400, 'bad'));
    const second = makeAttempt(folder.path, 2, successLine('b') + successLine('a', 1));
    const { assessment } = assess(folder.path, FIVE, [first, second]);
    expect(assessment.counts).toMatchObject({ succeeded: 2, failed: 0 });
    expect(assessment).toMatchObject({ duplicates: 4, conflicts: 2 });
    expect(assessment.usage['gpt-4o-mini']?.answers).toBe(2);
  });

  test('pauses for the quota only while a request waits for it', () => {
    using folder = temporaryFolder();
    const quota = httpErrorLine('a', 429, 'insufficient_quota');
    const first = makeAttempt(folder.path, 1, null, quota);
    expect(assess(folder.path, FIVE, [first]).assessment.quota).toBe(true);
    const second = makeAttempt(folder.path, 2, successLine('a'));
    expect(assess(folder.path, FIVE, [first, second]).assessment.quota).toBe(false);
  });

  test('counts the lines of a validation error in the file that was uploaded', () => {
    using folder = temporaryFolder();
    const first = makeAttempt(folder.path, 1, successLine('a') + successLine('c'));
    const invalid: AttemptAnswers = {
      kind: 'invalid',
      attempt: 2,
      errors: [
        { code: 'invalid_request', message: 'm', line: 2 },
        { code: 'missing', message: 'm', line: 2 },
        { code: 'mismatched_model', message: 'whole batch', line: null },
        { code: 'invalid_request', message: 'out of the file', line: 9 },
      ],
    };
    const { assessment, pending } = assess(folder.path, FIVE, [first, invalid]);
    expect(pending).toBe(requestLine('b') + requestLine('e'));
    expect(assessment.counts).toMatchObject({ succeeded: 2, failed: 1, pending: 2 });
    expect(assessment.invalid).toEqual({ attempt: 2, sent: 3, lines: 1 });
  });

  test('places validation errors rightly although a stray was collected after the upload', () => {
    using folder = temporaryFolder();
    const stray = makeAttempt(folder.path, 1, successLine('a') + successLine('b'));
    const errors = [{ code: 'invalid_request', message: 'm', line: 2 }];
    const invalid: AttemptAnswers = { kind: 'invalid', attempt: 2, errors, sent: 5 };
    const { assessment } = assess(folder.path, FIVE, [stray, invalid]);
    expect(assessment.counts).toMatchObject({ succeeded: 2, failed: 0, pending: 3 });
    const unknown: AttemptAnswers = { kind: 'invalid', attempt: 2, errors, sent: 4 };
    const unplaced = assess(folder.path, FIVE, [stray, unknown]).assessment;
    expect(unplaced.counts).toMatchObject({ succeeded: 2, failed: 0, pending: 3 });
  });

  test('leaves lines pending where the provider only said that its queue is full', () => {
    using folder = temporaryFolder();
    const errors = [{ code: 'token_limit_exceeded', message: 'm', line: 1 }];
    const { assessment } = assess(folder.path, FIVE, [{ kind: 'invalid', attempt: 1, errors }]);
    expect(assessment.counts.pending).toBe(5);
  });

  test('compares ids as decoded text, never as it is written', () => {
    using folder = temporaryFolder();
    const made = [sent(1, '\\u00e9'), sent(2, '__proto__'), sent(3, '\\ud83d\\ude00')];
    const output = successLine('é') + successLine('\\u005f_proto__') + successLine('😀');
    const attempt = makeAttempt(folder.path, 1, output);
    const { assessment } = assess(folder.path, made, [attempt]);
    expect(assessment.counts.succeeded).toBe(3);
    expect(assessment.strangers).toBe(0);
  });
});

interface Answered {
  /** Index of the id; beyond the ids: a stranger. */
  readonly of: number;
  readonly kind: 'success' | 'final' | 'again' | 'garbage';
  readonly salt: number;
  readonly isEscaped: boolean;
}

describe('assessing and settling together', () => {
  test('agree with a naive reader over JSON.parse and a Map, for any answers', () => {
    const ids = fc.uniqueArray(
      fc.oneof(
        fc.string({ unit: 'grapheme', minLength: 1 }),
        fc.constantFrom('__proto__', 'constructor', '\u2028', 'a\\b', '"', '\u0007'),
      ),
      { minLength: 1, maxLength: 12 },
    );
    const answered: fc.Arbitrary<Answered> = fc.record({
      of: fc.nat({ max: 14 }),
      kind: fc.constantFrom('success', 'success', 'final', 'again', 'garbage'),
      salt: fc.nat({ max: 2 }),
      isEscaped: fc.boolean(),
    });
    const attempts = fc.array(fc.array(answered, { maxLength: 20 }), {
      minLength: 2,
      maxLength: 2,
    });
    const rejected = fc.array(fc.nat({ max: 12 }), { maxLength: 4 });
    fc.assert(
      fc.property(ids, attempts, rejected, fc.boolean(), (texts, made, at, isEscaped) => {
        using folder = temporaryFolder();
        const lines = chunkLines(texts, new Set(at), isEscaped);
        const answers = made.map((one) => one.map((answer) => answerLine(answer, texts)));
        const stored = answers.map((text, attempt) => storeSplit(folder.path, attempt, text));
        const chunk = { ...makeChunk(folder.path, lines), attempts: stored };
        const assessment = assessChunk(chunk);
        const expected = naiveSettle(lines, answers);

        const [partPath, quarantinePath] = [`${folder.path}/part`, `${folder.path}/quarantine`];
        const close = { code: 'closed', message: 'm' };
        const part = settleChunk({ ...chunk, close, partPath, quarantinePath });
        const written = linesOf(partPath).map((line, i) =>
          expected.lines[i] === null ? null : line,
        );
        expect(written).toEqual(expected.lines);
        expect(assessment.strangers).toBe(expected.strangers);
        expect(assessment.unparsable).toBe(expected.unparsable);
        expect(assessment.counts.pending).toBe(
          expected.lines.filter((line) => line === null).length,
        );
        expect(part.succeeded).toBe(assessment.counts.succeeded);
        expect(part.failed).toBe(assessment.counts.failed + assessment.counts.pending);
        expect(part.lines).toBe(lines.length);
      }),
      { numRuns: 100 },
    );
  });
});

function rawOf(text: string, isEscaped: boolean): string {
  const raw = JSON.stringify(text).slice(1, -1);
  const escape = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return isEscaped ? raw.replaceAll(/[^ -~]/g, escape) : raw;
}

/** Rejected lines stand between, some with the id of a line that is sent. */
function chunkLines(ids: readonly string[], rejected: Set<number>, isEscaped: boolean): MadeLine[] {
  const lines: MadeLine[] = [];
  for (const [index, id] of ids.entries()) {
    const rawId = rawOf(id, isEscaped);
    lines.push(sent(index * 3 + 1, rawId));
    if (rejected.has(index)) lines.push({ line: index * 3 + 2, rawId, rejected: true });
  }
  return lines;
}

function answerLine(answer: Answered, ids: readonly string[]): string {
  const rawId = rawOf(ids[answer.of] ?? `stranger ${answer.of}`, answer.isEscaped);
  switch (answer.kind) {
    case 'success':
      return successLine(rawId, answer.salt);
    case 'final':
      return httpErrorLine(rawId, 400 + answer.salt, 'c');
    case 'again':
      return expiredLine(rawId);
    case 'garbage':
      return `{"custom_id":"${rawId}",,"salt":${answer.salt}}\n`;
  }
}

/** Successes go into the output file, all else into the error file, as providers do. */
function storeSplit(folder: string, attempt: number, lines: string[]): AttemptAnswers {
  const isOutput = (line: string) => line.includes('"status_code":200');
  const output = lines.filter(isOutput).join('');
  const errors = lines.filter((line) => !isOutput(line)).join('');
  return makeAttempt(folder, attempt, output, errors === '' ? null : errors);
}

/** Null stands for a line of ours. */
function naiveSettle(lines: readonly MadeLine[], attempts: readonly string[][]) {
  const best = new Map<string, { rank: number; line: string }>();
  const known = new Set(lines.filter((one) => !one.rejected).map((one) => decoded(one.rawId)));
  let strangers = 0;
  let unparsable = 0;
  for (const line of attempts.flat()) {
    let answer: { custom_id: string; response: { status_code: number } | null };
    try {
      answer = JSON.parse(line) as typeof answer;
    } catch {
      unparsable += 1;
      continue;
    }
    if (!known.has(answer.custom_id)) {
      strangers += 1;
      continue;
    }
    const status = answer.response?.status_code ?? 0;
    const rank = status === 200 ? 2 : Number(status >= 400);
    const before = best.get(answer.custom_id);
    if (rank > (before?.rank ?? 0)) best.set(answer.custom_id, { rank, line });
  }
  const answers = lines.map((made) =>
    made.rejected ? rejectedLine(made) : (best.get(decoded(made.rawId))?.line ?? null),
  );
  return { lines: answers, strangers, unparsable };
}

function decoded(rawId: string | null): string {
  return JSON.parse(`"${rawId ?? ''}"`) as string;
}
