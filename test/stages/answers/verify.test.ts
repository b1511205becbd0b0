import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { IdsDigest } from '../../../src/jsonl/ids-digest.ts';
import { verifyResult } from '../../../src/stages/answers/verify.ts';
import type { ExpectedResult, Verification } from '../../../src/stages/answers/verify.ts';
import {
  expiredLine,
  rejectedLine,
  sha256Of,
  successLine,
  temporaryFolder,
} from './made-answers.ts';

function digestOf(ids: readonly (string | null)[]): string {
  const digest = new IdsDigest();
  for (const id of ids) {
    const bytes = Buffer.from(id ?? '');
    if (id === null) digest.addMissing();
    else digest.add(bytes, 0, bytes.length);
  }
  return digest.hex();
}

/** A result of two successes, a failure and two rejected lines, and what is said of it. */
function sample(): { text: string; expected: ExpectedResult } {
  const twin = rejectedLine({ line: 4, rawId: 'a', rejected: true });
  const text =
    successLine('a') +
    successLine('\\u00e9') +
    expiredLine('c') +
    twin.replace('invalid_method', 'duplicate_custom_id') +
    rejectedLine({ line: 5, rawId: null, rejected: true });
  const idsDigest = digestOf(['a', 'é', 'c', 'a', null]);
  return { text, expected: { ...factsOf(text), idsDigest, succeeded: 2, failed: 1, rejected: 2 } };
}

function factsOf(text: string): { sizeBytes: number; sha256: string; lines: number } {
  const bytes = Buffer.from(text);
  return { sizeBytes: bytes.length, sha256: sha256Of(bytes), lines: text.split('\n').length - 1 };
}

function verify(text: string | Buffer, expect: ExpectedResult): Verification {
  using folder = temporaryFolder();
  const resultPath = join(folder.path, 'result.jsonl');
  writeFileSync(resultPath, text);
  return verifyResult({ resultPath, scratchFolder: folder.path, expect });
}

describe('verifyResult', () => {
  test('finds nothing wrong with a result that is what its manifest says', () => {
    const { text, expected } = sample();
    const { ok, problems, counts } = verify(text, expected);
    expect(problems).toEqual([]);
    expect(ok).toBe(true);
    expect(counts).toEqual({ lines: 5, succeeded: 2, failed: 3, unreadable: 0, repeated: 0 });
  });

  test('names each number that the manifest has wrong', () => {
    const { text, expected } = sample();
    const wrong: Partial<ExpectedResult>[] = [
      { lines: 6 },
      { sizeBytes: 1 },
      { sha256: 'f' },
      { idsDigest: 'f' },
      { succeeded: 3 },
      { failed: 0 },
    ];
    for (const change of wrong) {
      const { ok, problems } = verify(text, { ...expected, ...change });
      expect(ok, JSON.stringify(change)).toBe(false);
      expect(problems, JSON.stringify(change)).toHaveLength(1);
    }
  });

  test('finds lines that were swapped, though all else is as it was', () => {
    const { text, expected } = sample();
    const [first = '', second = '', ...rest] = text.split('\n');
    const swapped = [second, first, ...rest].join('\n');
    const { problems } = verify(swapped, { ...expected, ...factsOf(swapped) });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('digest of the ids');
  });

  test('finds an id that stands twice, however it is written', () => {
    const { text, expected } = sample();
    const doubled = text + successLine('é') + successLine('c') + successLine('a');
    const idsDigest = digestOf(['a', 'é', 'c', 'a', null, 'é', 'c', 'a']);
    const changed = { ...expected, ...factsOf(doubled), idsDigest, succeeded: 5 };
    const { problems, counts } = verify(doubled, changed);
    expect(problems).toEqual([
      'Line 6 has the custom_id of line 2.',
      'Line 7 has the custom_id of line 3.',
      'Line 8 has the custom_id of line 1.',
    ]);
    expect(counts.repeated).toBe(3);
  });

  test('lets rejected lines have one id, whatever they were rejected for', () => {
    const { text, expected } = sample();
    const more = [6, 7].map((line) => rejectedLine({ line, rawId: 'b', rejected: true })).join('');
    const idsDigest = digestOf(['a', 'é', 'c', 'a', null, 'b', 'b']);
    const changed = { ...expected, ...factsOf(text + more), idsDigest, rejected: 4 };
    expect(verify(text + more, changed)).toMatchObject({ ok: true, problems: [] });
  });

  test('finds lines that are not answers, blank ones included', () => {
    const { text, expected } = sample();
    const badBytes = Buffer.from('{"custom_id":"a\u00ff"}\n', 'latin1');
    const bad = Buffer.concat([Buffer.from(`${text}\nno json\n`), badBytes]);
    const { problems, counts } = verify(bad, expected);
    expect(counts.unreadable).toBe(3);
    for (const line of [6, 7, 8]) expect(problems).toContain(`Line ${line} is not an answer line.`);
  });

  test('finds a cut', () => {
    const { text, expected } = sample();
    const { ok, problems } = verify(text.slice(0, -1), expected);
    expect(ok).toBe(false);
    expect(problems).toContain('The last line has no newline: the file is cut.');
  });

  test('finds a repeated id among more than memory holds, and leaves no file behind', () => {
    using folder = temporaryFolder();
    const count = 400_000;
    const lines = Array.from({ length: count }, (_, i) => `{"custom_id":"${i}","error":{}}\n`);
    lines.push('{"custom_id":"77777","error":{}}\n');
    const resultPath = join(folder.path, 'result.jsonl');
    writeFileSync(resultPath, lines.join(''));
    const expected = sample().expected;
    const scratchFolder = folder.path;
    const { problems, counts } = verifyResult({ resultPath, scratchFolder, expect: expected });
    expect(counts).toMatchObject({ lines: count + 1, repeated: 1 });
    expect(problems).toContain(`Line ${count + 1} has the custom_id of line 77778.`);
    expect(existsSync(join(folder.path, 'verify-hashes.tmp'))).toBe(false);
  });
});
