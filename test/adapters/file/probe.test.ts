import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { probeFileStore } from '../../../src/adapters/file/probe.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('the probe of a data directory', () => {
  it('finds nothing wrong with a usual folder, and leaves nothing there', async () => {
    const root = join(await temporaryFolder(), 'data');
    expect(await probeFileStore(root)).toEqual({
      write: null,
      fsync: null,
      folderFsync: null,
      rename: null,
      link: null,
    });
    expect(await readdir(join(root, '.tmp'))).toEqual([]);
  });

  it('says what the system says where nothing can be written', async () => {
    const file = join(await temporaryFolder(), 'a-file');
    await writeFile(file, '');
    const probe = await probeFileStore(join(file, 'data'));
    expect(probe.write).toMatch(/ENOTDIR/);
    expect(probe.link).toMatch(/not tried/);
  });

  it.skipIf(!existsSync('/proc/self'))('says so of a file system that takes no files', async () => {
    expect((await probeFileStore('/proc/batchwright')).write).toMatch(/ENOENT|EPERM|EACCES|EROFS/);
  });
});
