import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { groupFailures, readFailures } from '../../../src/stages/answers/failures.ts';
import { filterResult } from '../../../src/stages/answers/filter-result.ts';
import {
  expiredLine,
  httpErrorLine,
  rejectedLine,
  successLine,
  temporaryFolder,
} from './made-answers.ts';

const EXHAUSTED =
  '{"id":"batchwright-9","custom_id":"x","response":null,' +
  '"error":{"code":"attempts_exhausted","message":"No answer.","line":9}}\n';

const LINES = [
  successLine('a'),
  httpErrorLine('b', 400, 'bad'),
  successLine('c', 'x'.repeat(300_000)),
  httpErrorLine('\\u00e9', 400, 'bad'),
  expiredLine('e'),
  rejectedLine({ line: 6, rawId: null, rejected: true }),
  successLine('g'),
  'no json\n',
  httpErrorLine('i', 400, 'bad'),
  EXHAUSTED,
];

function withResult<Value>(use: (path: string) => Value, lines: readonly string[] = LINES): Value {
  using folder = temporaryFolder();
  const path = join(folder.path, 'result.jsonl');
  writeFileSync(path, lines.join(''));
  return use(path);
}

function grouped(resultPath: string, samples: number): ReturnType<typeof groupFailures> {
  return groupFailures({ resultPath, runsPath: null, samples });
}

describe('groupFailures', () => {
  test('groups failed lines by class, with samples, words and whether another try may help', () => {
    const { groups, failed } = withResult((path) => grouped(path, 2));
    expect(failed).toBe(7);
    expect(groups[0]).toEqual({
      class: '400 bad',
      retryable: false,
      count: 3,
      sampleIds: ['b', 'é'],
      message: 'no',
    });
    const others = groups.slice(1).map((group) => [group.class, group.retryable, group.count]);
    expect(others).toEqual([
      ['batch_expired', true, 1],
      ['invalid_method', false, 1],
      ['unreadable_line', false, 1],
      ['attempts_exhausted', true, 1],
    ]);
    expect(groups.find((group) => group.class === 'invalid_method')?.sampleIds).toEqual([]);
  });

  test('says that nothing failed where nothing did', () => {
    const found = withResult((path) => grouped(path, 3), [successLine('a')]);
    expect(found).toEqual({ groups: [], failed: 0 });
  });
});

describe('readFailures', () => {
  test('yields failed lines in order, with their place and their text', () => {
    const failures = withResult((path) => [...readFailures(path)]);
    expect(failures.map(({ line }) => line)).toEqual([2, 4, 5, 6, 8, 9, 10]);
    expect(failures.map(({ customId }) => customId)).toEqual(['b', 'é', 'e', null, null, 'i', 'x']);
    expect(failures.map(({ text }) => `${text}\n`)).toEqual(
      LINES.filter((line) => !line.includes('"status_code":200')),
    );
  });
});

describe('filterResult', () => {
  test('splits a result into its succeeded and its failed lines, byte for byte', () => {
    const isSuccess = (line: string): boolean => line.includes('"status_code":200');
    const pick = (wanted: 'ok' | 'failed'): string =>
      withResult((path) => Buffer.concat([...filterResult(path, wanted)]).toString());
    expect(pick('ok')).toBe(LINES.filter(isSuccess).join(''));
    expect(pick('failed')).toBe(LINES.filter((line) => !isSuccess(line)).join(''));
  });

  test('yields nothing of an empty result', () => {
    expect(withResult((path) => [...filterResult(path, 'ok')], [])).toEqual([]);
  });
});
