import { describe, expect, it } from 'vitest';

import { isAbandoned, isOwnedName, ownedName } from '../../../src/adapters/file/owner.ts';
import { runInProcess } from '../../support/child-process.ts';

describe('an owner mark', () => {
  it('makes names that differ and are known again', () => {
    const names = Array.from({ length: 100 }, () => ownedName('write'));
    expect(new Set(names).size).toBe(100);
    for (const name of names) expect(isOwnedName(name)).toBe(true);
    expect(isOwnedName('write.1-2-3')).toBe(false);
  });

  it('is not abandoned while its process lives, however long nothing changed', () => {
    expect(isAbandoned(ownedName('write'), Number.POSITIVE_INFINITY, 0)).toBe(false);
  });

  it('is abandoned as soon as its process is gone', async () => {
    const name = await runInProcess('file/say-owned-name.ts', []);
    expect(isOwnedName(name.trim())).toBe(true);
    expect(isAbandoned(name.trim(), 0, 1_000)).toBe(true);
  });

  it.runIf(process.platform === 'linux')('tells a process from its predecessor of one pid', () => {
    const predecessor = ownedName('write').replace(/-(\d+)-(\d+)-/, '-$1-1-');
    expect(isAbandoned(predecessor, 0, 1_000)).toBe(true);
  });

  it('says nothing of names that are not marked', () => {
    expect(isAbandoned('result.jsonl', Number.POSITIVE_INFINITY, 0)).toBe(false);
  });
});
