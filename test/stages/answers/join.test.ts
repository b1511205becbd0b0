import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashResult, writeResult } from '../../../src/stages/answers/join.ts';
import type { WrittenResult } from '../../../src/stages/answers/join.ts';
import type { JoinPart } from '../../../src/stages/answers/part-cursor.ts';
import {
  makeChunk,
  rejectedLine,
  sent,
  sha256Of,
  successLine,
  temporaryFolder,
} from './made-answers.ts';
import type { MadeLine } from './made-answers.ts';

/** The part's line for the record, of a size that is its own. */
function partLine(made: MadeLine): string {
  if (made.rejected) return rejectedLine(made);
  return successLine(made.rawId ?? '', 'é'.repeat((made.line * 7919) % 300));
}

function makePart(folder: string, name: string, lines: readonly MadeLine[]): JoinPart {
  const { linesPath } = makeChunk(folder, lines, name);
  const partPath = join(folder, `${name}.part.jsonl`);
  const content = Buffer.from(lines.map(partLine).join(''));
  writeFileSync(partPath, content);
  return { partPath, linesPath, ...recordOf(content), lines: lines.length };
}

function recordOf(content: Buffer): { crc32: string; sizeBytes: number } {
  return { crc32: crc32(content).toString(16).padStart(8, '0'), sizeBytes: content.length };
}

function naiveDigest(ids: readonly (string | null)[]): string {
  const hash = createHash('sha256');
  for (const rawId of ids) {
    const id = Buffer.from(rawId === null ? '' : (JSON.parse(`"${rawId}"`) as string));
    hash.update(
      rawId === null ? '-' : Buffer.concat([Buffer.from(`${id.length}:`), id, Buffer.from(',')]),
    );
  }
  return hash.digest('hex');
}

/** Writes and hashes; the two must agree. */
function joined(folder: string, parts: readonly JoinPart[]): WrittenResult & { text: string } {
  const resultPath = join(folder, 'result.jsonl');
  const written = writeResult({ parts, resultPath });
  const bytes = readFileSync(resultPath);
  const { lines, sizeBytes } = written;
  expect(sizeBytes).toBe(bytes.length);
  expect(hashResult({ parts })).toEqual({ lines, sizeBytes, sha256: sha256Of(bytes) });
  return { ...written, text: bytes.toString() };
}

describe('writeResult and hashResult', () => {
  test('puts parts that do not interleave one behind the other, in any given order', () => {
    using folder = temporaryFolder();
    const late = [sent(10, 'c'), { line: 11, rawId: null, rejected: true }];
    const early = [sent(1, 'a'), sent(2, '\\u00e9'), { line: 9, rawId: 'a', rejected: true }];
    const parts = [late, early].map((lines, index) => makePart(folder.path, `${index}`, lines));
    const result = joined(folder.path, parts);
    expect(result.text).toBe([...early, ...late].map(partLine).join(''));
    expect(result.lines).toBe(5);
    expect(result.idsDigest).toBe(naiveDigest(['a', '\\u00e9', 'a', 'c', null]));
  });

  test('interleaves parts by line number, whatever the lines and the parts', () => {
    const owners = fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(owners, fc.nat({ max: 4 }), fc.boolean(), (made, gap, isRejected) => {
        using folder = temporaryFolder();
        const all = made.map((owner, index) => {
          const line = index * (gap + 1) + 1;
          const rejected = isRejected && index % 3 === 0;
          return { owner, line, rawId: rejected && index % 2 === 0 ? null : `é${line}`, rejected };
        });
        const names = [...new Set(made)];
        const parts = names.map((name) =>
          makePart(
            folder.path,
            `${name}`,
            all.filter(({ owner }) => owner === name),
          ),
        );
        const result = joined(folder.path, parts);
        expect(result.text).toBe(all.map(partLine).join(''));
        expect(result.idsDigest).toBe(naiveDigest(all.map(({ rawId }) => rawId)));
      }),
      { numRuns: 60 },
    );
  });

  test('copies runs that are longer than its blocks, and lines that are', () => {
    using folder = temporaryFolder();
    const first = Array.from({ length: 3000 }, (_, index) => sent(index + 1, `long-id-${index}`));
    const middle = [sent(5001, 'x'.repeat(400_000))];
    const last = Array.from({ length: 3000 }, (_, index) => sent(index + 5002, `id-${index}`));
    const parts = [
      makePart(folder.path, 'one', [...first, ...last]),
      makePart(folder.path, 'two', middle),
    ];
    const result = joined(folder.path, parts);
    expect(result.text === [...first, ...middle, ...last].map(partLine).join('')).toBe(true);
    expect(result.lines).toBe(6001);
  });

  test('throws where a part is not what was recorded of it', () => {
    using folder = temporaryFolder();
    const part = makePart(folder.path, 'one', [sent(1, 'a'), sent(2, 'b'), sent(3, 'c')]);
    const bytes = readFileSync(part.partPath);
    const resultPath = join(folder.path, 'result.jsonl');
    const writing = (change: Partial<JoinPart>) => () =>
      writeResult({ parts: [{ ...part, ...change }], resultPath });
    expect(writing({})).not.toThrow();
    expect(writing({ sizeBytes: part.sizeBytes + 1 })).toThrow('bytes');
    expect(writing({ lines: 2 })).toThrow('3 lines instead of 2');
    expect(writing({ crc32: '00000000' })).toThrow('crc32');
    const flipped = Buffer.from(bytes);
    flipped[bytes.length - 20] = (flipped[bytes.length - 20] ?? 0) ^ 1;
    for (const [content, complaint] of [
      [flipped, 'crc32'],
      [bytes.subarray(0, -1), 'cut'],
      [bytes.subarray(0, -10), 'cut'],
      [Buffer.concat([bytes, Buffer.from('{}\n')]), 'more lines'],
      [bytes.subarray(0, bytes.indexOf(10) + 1), 'fewer lines'],
    ] as const) {
      writeFileSync(part.partPath, content);
      expect(writing({}), complaint).toThrow(complaint);
    }
  });

  test('throws where one part stands in the place of another of its size', () => {
    using folder = temporaryFolder();
    const one = makePart(folder.path, 'one', [sent(1, 'a')]);
    const two = makePart(folder.path, 'two', [sent(301, 'b')]);
    expect(two.sizeBytes).toBe(one.sizeBytes);
    const parts = [
      { ...one, partPath: two.partPath },
      { ...two, partPath: one.partPath },
    ];
    const resultPath = join(folder.path, 'result.jsonl');
    expect(() => writeResult({ parts, resultPath })).toThrow('crc32');
  });

  test('throws where two parts claim the same line', () => {
    using folder = temporaryFolder();
    const one = makePart(folder.path, 'one', [sent(1, 'a'), sent(3, 'b')]);
    const two = makePart(folder.path, 'two', [sent(2, 'c'), sent(3, 'd')]);
    const resultPath = join(folder.path, 'result.jsonl');
    const parts = [one, two];
    const complaint = 'line 3 stands in two parts';
    expect(() => writeResult({ parts, resultPath })).toThrow(complaint);
    expect(() => hashResult({ parts })).toThrow(complaint);
  });

  test('throws where a line has no custom_id', () => {
    using folder = temporaryFolder();
    const part = makePart(folder.path, 'one', [sent(1, 'a')]);
    const content = Buffer.from('{"id":"x","response":{"custom_id":"a"}}\n');
    writeFileSync(part.partPath, content);
    const parts = [{ ...part, ...recordOf(content) }];
    const resultPath = join(folder.path, 'result.jsonl');
    expect(() => writeResult({ parts, resultPath })).toThrow('no custom_id');
  });
});
