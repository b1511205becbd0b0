import { describe, expect, it } from 'vitest';

import { parseJobId } from '../../src/domain/ids.ts';
import type { JobId } from '../../src/domain/ids.ts';
import { isBefore, outputFileId, placeOf, requirePlace } from '../../src/service/file-places.ts';

const OLD = '01m82njjncyfa6drecww72ys40';
const NEW = '01m82njjncyfa6drecww72ys4g';
const JOB = parseJobId(`job_${OLD}`) as JobId;

describe("a file's id", () => {
  it('says what kind of file it is', () => {
    expect(placeOf(`file-${OLD}`)).toEqual({ kind: 'uploaded', body: OLD });
    expect(placeOf(outputFileId(JOB, 'output'))).toEqual({ kind: 'output', body: OLD });
    expect(placeOf(outputFileId(JOB, 'errors'))).toEqual({ kind: 'errors', body: OLD });
  });

  it('is nothing else', () => {
    const others = [
      '',
      'file-',
      `file-in${OLD}`,
      `file-out${OLD}0`,
      `File-${OLD}`,
      `../${OLD}`,
      JOB,
    ];
    expect(others.map(placeOf)).toEqual(others.map(() => null));
  });

  it('gives the file its place: by time, then the output before the errors', () => {
    const ids = [
      `file-${OLD}`,
      outputFileId(JOB, 'output'),
      outputFileId(JOB, 'errors'),
      `file-${NEW}`,
    ];
    const places = ids.map(requirePlace);
    for (const [first, one] of places.entries()) {
      for (const [second, other] of places.entries()) {
        expect(isBefore(one, other, 'oldest')).toBe(first < second);
        expect(isBefore(one, other, 'newest')).toBe(first > second);
      }
    }
  });
});
