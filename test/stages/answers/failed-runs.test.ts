import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RUN_BYTES, readRun } from '../../../src/jsonl/run-index.ts';
import type { Run } from '../../../src/jsonl/run-index.ts';
import { findFailedRuns } from '../../../src/stages/answers/failed-runs.ts';
import { groupFailures, pageFailures } from '../../../src/stages/answers/failures.ts';
import { httpErrorLine, successLine, temporaryFolder } from './made-answers.ts';

async function indexed(lines: readonly string[]) {
  const folder = temporaryFolder();
  const resultPath = join(folder.path, 'result.jsonl');
  const runsPath = join(folder.path, 'runs.bin');
  writeFileSync(resultPath, lines.join(''));
  const found = await findFailedRuns({ resultPath, runsPath });
  const bytes = readFileSync(runsPath);
  const count = bytes.length / RUN_BYTES;
  const runs = Array.from({ length: count }, (_, index) => readRun(bytes, index * RUN_BYTES));
  return { folder, resultPath, runsPath, found, runs };
}

/** The failed bytes as the index has them. */
function pickedBy(runs: readonly Run[], result: Buffer): Buffer {
  const pieces = runs.slice(0, -1).map(({ start, before }, index) => {
    return result.subarray(start, start + (runs[index + 1]?.before ?? 0) - before);
  });
  return Buffer.concat(pieces);
}

const anyLine = fc.oneof(
  fc.nat({ max: 400 }).map((size) => ({ text: successLine('s', 'é'.repeat(size)), ok: true })),
  fc
    .constantFrom(httpErrorLine('f', 400, 'bad'), httpErrorLine('g', 500, 'x'), 'junk\n', '\n')
    .map((text) => ({ text, ok: false })),
);

describe('findFailedRuns', () => {
  test('picks exactly the failed lines, whatever the lines', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyLine, { maxLength: 40 }), async (lines) => {
        const texts = lines.map(({ text }) => text);
        const { folder, found, runs } = await indexed(texts);
        using _folder = folder;
        const failed = lines.filter(({ ok }) => !ok);
        const result = Buffer.from(texts.join(''));
        const expected = Buffer.from(failed.map(({ text }) => text).join(''));
        expect(pickedBy(runs, result).equals(expected)).toBe(true);
        expect(found).toEqual({ failedLines: failed.length, failedBytes: expected.length });
        expect(runs.at(-1)).toEqual({
          start: result.length,
          before: expected.length,
          line: lines.length + 1,
        });
        const starts = lines.flatMap(({ ok }, at) => {
          return !ok && (at === 0 || lines[at - 1]?.ok === true) ? [at + 1] : [];
        });
        expect(runs.slice(0, -1).map(({ line }) => line)).toEqual(starts);
      }),
      { numRuns: 60 },
    );
  });

  test('cuts a run that is longer than a megabyte, so that its lines are found fast', async () => {
    const line = httpErrorLine('x'.repeat(700_000), 400, 'bad');
    const { folder, runs } = await indexed([line, line, line, line]);
    using _folder = folder;
    expect(runs.map((run) => run.line)).toEqual([1, 3, 5]);
    expect(runs.map((run) => run.before)).toEqual([0, line.length * 2, line.length * 4]);
  });

  test('takes no result that is cut', async () => {
    const cut = indexed([successLine('a'), httpErrorLine('b', 400, 'bad').slice(0, -1)]);
    await expect(cut).rejects.toMatchObject({ code: 'store_damaged' });
  });
});

describe('reading by the index', () => {
  const lines = Array.from({ length: 3_000 }, (_, index) => {
    if (index % 7 === 0) return httpErrorLine(`id-${index}`, 400, 'bad');
    if (index % 700 < 3) return httpErrorLine(`id-${index}`, 500, 'again');
    return successLine(`id-${index}`, 'x'.repeat(index % 400));
  });

  test('pages through the failed lines, each once, in any steps and of any class', async () => {
    const { folder, resultPath, runsPath } = await indexed(lines);
    using _folder = folder;
    const all = (limit: number, ofClass: string | null, runs: string | null): string[] => {
      const ids: string[] = [];
      for (let after: number | null = 0; after !== null;) {
        const page = pageFailures({ resultPath, runsPath: runs, after, limit, ofClass });
        expect(page.failures.length).toBeLessThanOrEqual(limit);
        ids.push(...page.failures.map(({ customId }) => String(customId)));
        after = page.next;
      }
      return ids;
    };
    const ids = (isWanted: (line: string) => boolean): string[] =>
      lines.flatMap((line, index) => (isWanted(line) ? [`id-${index}`] : []));
    const failed = ids((line) => !line.includes('"status_code":200'));
    for (const limit of [1, 10, 5_000]) expect(all(limit, null, runsPath)).toEqual(failed);
    expect(all(100, null, null)).toEqual(failed);
    expect(all(2, '500 again', runsPath)).toEqual(ids((line) => line.includes('"again"')));
    expect(all(2, 'no_such_class', runsPath)).toEqual([]);
  });

  test('groups the same as without it', async () => {
    const { folder, resultPath, runsPath } = await indexed(lines);
    using _folder = folder;
    const grouped = (runs: string | null) => {
      return groupFailures({ resultPath, runsPath: runs, samples: 3 });
    };
    expect(grouped(runsPath)).toEqual(grouped(null));
    expect(grouped(runsPath).groups.map((group) => group.class)).toEqual(['400 bad', '500 again']);
  });
});
