import { existsSync } from 'node:fs';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { createFileScratch } from '../../../src/adapters/file/scratch.ts';
import { scratchContract } from '../../contract/scratch.ts';
import { runInProcess } from '../../support/child-process.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

scratchContract('a local folder', async () => createFileScratch(await temporaryFolder()));

describe('scratch on a local folder', () => {
  it('removes the folders of dead processes, with their content', async () => {
    const root = await temporaryFolder();
    const scratch = createFileScratch(root);
    const own = await scratch.makeFolder('own');
    const left = await runInProcess('file/leave-scratch.ts', [root]);
    expect(existsSync(join(left.trim(), 'answers.jsonl'))).toBe(true);
    expect(await scratch.removeAbandoned()).toBe(1);
    expect(existsSync(left.trim())).toBe(false);
    expect(existsSync(own)).toBe(true);
  });

  it('leaves folders of other hosts for a week, and what is not scratch for ever', async () => {
    const root = await temporaryFolder();
    const weekOld = new Date(Date.now() - 8 * 24 * 3600 * 1000);
    const foreign = (name: string): string => join(root, `${name}.00000000-1-1-0123456789abcdef`);
    for (const path of [foreign('old'), foreign('new'), join(root, 'mine')]) await mkdir(path);
    await writeFile(join(foreign('old'), 'file'), 'x');
    for (const path of [foreign('old'), join(root, 'mine')]) await utimes(path, weekOld, weekOld);
    expect(await createFileScratch(root).removeAbandoned()).toBe(1);
    expect(existsSync(foreign('old'))).toBe(false);
    expect(existsSync(foreign('new'))).toBe(true);
    expect(existsSync(join(root, 'mine'))).toBe(true);
  });

  it('says the free bytes of a place that is not made yet, without making it', async () => {
    const root = join(await temporaryFolder(), 'not', 'yet');
    const scratch = createFileScratch(root);
    expect(await scratch.freeBytes()).toBeGreaterThan(0);
    expect(await scratch.removeAbandoned()).toBe(0);
    expect(existsSync(root)).toBe(false);
  });
});
