/** What every scratch must do. */

import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { Scratch } from '../../src/ports/scratch.ts';

/** `open` resolves to a new empty scratch of the running test's own. */
export function scratchContract(title: string, open: () => Promise<Scratch>): void {
  describe(`${title} as scratch`, () => {
    it('makes an empty folder of its own each time, even for one label', async () => {
      const scratch = await open();
      const folders = await Promise.all(
        Array.from({ length: 20 }, () => scratch.makeFolder('settle')),
      );
      expect(new Set(folders).size).toBe(20);
      for (const folder of folders) {
        expect(isAbsolute(folder)).toBe(true);
        expect(await readdir(folder)).toEqual([]);
      }
    });

    it('takes any text as a label', async () => {
      const scratch = await open();
      const folder = await scratch.makeFolder('../über/c000001 ');
      await writeFile(join(folder, 'x'), 'x');
      await scratch.removeFolder(folder);
      expect(existsSync(folder)).toBe(false);
    });

    it('removes a folder with everything in it, and finds it fine where none is', async () => {
      const scratch = await open();
      const folder = await scratch.makeFolder('plan');
      await mkdir(join(folder, 'deeper'));
      await writeFile(join(folder, 'deeper', 'file'), 'content');
      await scratch.removeFolder(folder);
      await scratch.removeFolder(folder);
      expect(existsSync(folder)).toBe(false);
    });

    it('refuses to remove what it did not make', async () => {
      const scratch = await open();
      const folder = await scratch.makeFolder('kept');
      await mkdir(join(folder, 'below'));
      for (const path of [join(folder, 'below'), join(folder, '..'), '/', 'kept']) {
        await expect(scratch.removeFolder(path)).rejects.toThrow(RangeError);
      }
      expect(existsSync(join(folder, 'below'))).toBe(true);
    });

    it('leaves the folders of living processes when it removes abandoned ones', async () => {
      const scratch = await open();
      const folder = await scratch.makeFolder('alive');
      expect(await scratch.removeAbandoned()).toBe(0);
      expect(existsSync(folder)).toBe(true);
    });

    it('says how many bytes are free', async () => {
      const scratch = await open();
      expect(await scratch.freeBytes()).toBeGreaterThan(0);
    });
  });
}
