import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { describe, expect, it } from 'vitest';

import { createFileBlobStore } from '../../../src/adapters/file/blob-store.ts';
import { blobStoreContract } from '../../contract/blob-store.ts';
import { runInProcess, startProcess } from '../../support/child-process.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** A folder on another file system than the temporary folder's, where this machine has one. */
const OTHER_FILE_SYSTEM = '/dev/shm';

blobStoreContract('a folder', async () => createFileBlobStore(await temporaryFolder()));

describe('the file store', () => {
  it('makes its root at the first write, for its owner alone', async () => {
    const root = join(await temporaryFolder(), 'deep', 'data');
    const store = createFileBlobStore(root);
    expect(await store.list('')).toEqual([]);
    expect(await store.get('x')).toBeNull();
    expect(await store.removeAbandoned()).toBe(0);
    expect(existsSync(root)).toBe(false);
    await store.put('x', Buffer.from('1'));
    expect(statSync(root).mode & 0o777).toBe(0o700);
  });

  it('leaves no unfinished file, whether a write succeeds, loses or fails', async () => {
    const root = await temporaryFolder();
    const store = createFileBlobStore(root);
    await store.put('a', Buffer.from('1'));
    await store.putIfAbsent('b', Buffer.from('1'));
    await store.putIfAbsent('b', Buffer.from('2'));
    await expect(store.put('a/below', Buffer.from('1'))).rejects.toThrow(/EEXIST|ENOTDIR/);
    await expect(store.putIfAbsent('a/below', Buffer.from('1'))).rejects.toThrow(/EEXIST|ENOTDIR/);
    await store.put('folder/x', Buffer.from('1'));
    await expect(store.put('folder', Buffer.from('1'))).rejects.toMatchObject({ code: 'EISDIR' });
    await expect(store.put('c', failing())).rejects.toThrow('the source broke');
    await store.deleteFolder('folder');
    expect(await readdir(join(root, '.tmp'))).toEqual([]);
  });

  it('writes again after another process removed its folders', async () => {
    const root = await temporaryFolder();
    const store = createFileBlobStore(root);
    await store.put('jobs/1/a', Buffer.from('1'));
    await createFileBlobStore(root).deleteFolder('jobs');
    await store.put('jobs/1/a', Buffer.from('2'));
    expect((await store.get('jobs/1/a'))?.toString()).toBe('2');
  });

  it('lets one process win each object when several race', async () => {
    const root = await temporaryFolder();
    const outputs = await Promise.all(
      [1, 2, 3].map(() => runInProcess('file/race-appends.ts', [root, '100'])),
    );
    const results = outputs.map((output) => JSON.parse(output) as { pid: number; won: number[] });
    const all = results.flatMap(({ won }) => won).toSorted((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: 100 }, (_, index) => index));
    const store = createFileBlobStore(root);
    for (const { pid, won } of results) {
      for (const index of won) {
        expect((await store.get(`race/${index}`))?.toString()).toBe(String(pid));
      }
    }
  });

  it('removes what a killed process left unfinished, and nothing else', async () => {
    const root = await temporaryFolder();
    const store = createFileBlobStore(root);
    const child = startProcess('file/die-writing.ts', [root]);
    await once(child.stdout ?? child, 'data');
    expect(await store.removeAbandoned()).toBe(0);
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(await store.list('')).toEqual([]);
    expect(await store.removeAbandoned()).toBe(1);
    expect(await readdir(join(root, '.tmp'))).toEqual([]);
  });

  it.runIf(process.platform === 'linux')('keeps the old object where room runs out', async () => {
    const root = await temporaryFolder();
    const program = fileURLToPath(new URL('../../support/file/overfill.ts', import.meta.url));
    // A limit on file sizes needs no disk of its own: the write breaks off half-way all the same.
    const script = `trap '' XFSZ; ulimit -f 1024; exec "$0" "$@"`;
    const args = ['-c', script, process.execPath, program, root, join(root, 'absent')];
    const { stdout } = await promisify(execFile)('bash', args);
    expect(JSON.parse(stdout)).toEqual({
      codes: ['EFBIG', 'EFBIG', 'ENOENT'],
      kept: 'old',
      names: ['kept'],
      left: [],
    });
  });

  it('leaves unfinished files of other hosts for a day', async () => {
    const root = await temporaryFolder();
    const old = new Date(Date.now() - 25 * 3600 * 1000);
    const foreign = (name: string): string => `${name}.00000000-1-1-0123456789abcdef`;
    await mkdir(join(root, '.tmp'));
    for (const name of [foreign('old'), foreign('new'), 'stranger']) {
      await writeFile(join(root, '.tmp', name), 'x');
    }
    for (const name of [foreign('old'), 'stranger']) {
      await utimes(join(root, '.tmp', name), old, old);
    }
    expect(await createFileBlobStore(root).removeAbandoned()).toBe(1);
    expect((await readdir(join(root, '.tmp'))).toSorted()).toEqual([foreign('new'), 'stranger']);
  });

  it.skipIf(!hasOtherFileSystem())('takes in a file of another file system', async () => {
    const root = await temporaryFolder();
    const store = createFileBlobStore(root);
    const local = join(await temporaryFolder(OTHER_FILE_SYSTEM), 'result.jsonl');
    await writeFile(local, 'x'.repeat(3_000_000));
    await store.putFile('a/result.jsonl', local);
    expect(await store.head('a/result.jsonl')).toMatchObject({ sizeBytes: 3_000_000 });
    expect(existsSync(local)).toBe(false);
    expect(await readdir(join(root, '.tmp'))).toEqual([]);
  });
});

/** Whether a rename from there would cross file systems. */
function hasOtherFileSystem(): boolean {
  if (!existsSync(OTHER_FILE_SYSTEM)) return false;
  return statSync(OTHER_FILE_SYSTEM).dev !== statSync(tmpdir()).dev;
}

async function* failing(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('a part');
  throw new Error('the source broke');
}
