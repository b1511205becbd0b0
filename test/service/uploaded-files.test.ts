import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { createFileBlobStore } from '../../src/adapters/file/blob-store.ts';
import { createIds } from '../../src/adapters/system/ids.ts';
import { LOCAL_TENANT, parseTenantId } from '../../src/domain/ids.ts';
import type { TenantId } from '../../src/domain/ids.ts';
import { UploadedFiles } from '../../src/service/uploaded-files.ts';
import { tenantFilesFolder } from '../../src/stages/names.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const OTHER = parseTenantId('other') as TenantId;
const HOUR_MS = 3_600_000;

/** Files on a real disk, with a clock that the test moves. */
async function opened() {
  const folder = await temporaryFolder();
  const blobs = createFileBlobStore(join(folder, 'store'));
  const clock = { nowMs: Date.now(), wallMs: () => clock.nowMs };
  const files = new UploadedFiles(blobs, createIds(clock), clock);
  const add = async (content: string, expiresAfterSeconds: number | null = null) => {
    const localPath = join(folder, 'body');
    await writeFile(localPath, content);
    const sizeBytes = Buffer.byteLength(content);
    const filename = '../ä.jsonl';
    return files.add(LOCAL_TENANT, { localPath, filename, sizeBytes, expiresAfterSeconds });
  };
  const contentOf = async (id: Parameters<typeof files.get>[1]) =>
    readFile(await blobs.toLocal(files.contentName(LOCAL_TENANT, id)), 'utf8');
  return { blobs, clock, files, add, contentOf };
}

describe('an uploaded file', () => {
  it('is kept with its bytes and what was said of it', async () => {
    const { files, add, contentOf, clock } = await opened();
    const file = await add('{"a":1}\n');
    expect(await files.get(LOCAL_TENANT, file.id)).toEqual({
      id: file.id,
      filename: '../ä.jsonl',
      sizeBytes: 8,
      createdAtMs: clock.nowMs,
      expiresAtMs: null,
    });
    expect(await contentOf(file.id)).toBe('{"a":1}\n');
  });

  it("is nobody else's", async () => {
    const { files, add } = await opened();
    const { id } = await add('x');
    expect(await files.get(OTHER, id)).toBeNull();
    expect(await files.ids(OTHER)).toEqual([]);
    expect(await files.remove(OTHER, id)).toBe(false);
    expect(await files.get(LOCAL_TENANT, id)).not.toBeNull();
  });

  it('is listed in the order in which files came', async () => {
    const { files, add, clock } = await opened();
    const ids: string[] = [];
    for (const content of ['a', 'b', 'c']) {
      ids.push((await add(content)).id);
      clock.nowMs += 1;
    }
    expect(await files.ids(LOCAL_TENANT)).toEqual(ids);
  });

  it('is gone when it is removed, and cannot be removed again', async () => {
    const { blobs, files, add } = await opened();
    const { id } = await add('x');
    expect(await files.remove(LOCAL_TENANT, id)).toBe(true);
    expect(await files.get(LOCAL_TENANT, id)).toBeNull();
    expect(await files.remove(LOCAL_TENANT, id)).toBe(false);
    expect(await blobs.list(tenantFilesFolder(LOCAL_TENANT))).toEqual([]);
  });

  it('is as gone when it has expired, its bytes too', async () => {
    const { blobs, files, add, clock } = await opened();
    const { id, expiresAtMs } = await add('x', 3_600);
    const shorter = await add('y', 3_599);
    expect(expiresAtMs).toBe(clock.nowMs + HOUR_MS);
    clock.nowMs += HOUR_MS - 1;
    expect(await files.get(LOCAL_TENANT, id)).not.toBeNull();
    expect(await files.get(LOCAL_TENANT, shorter.id)).toBeNull();
    clock.nowMs += 1;
    await files.removeStale();
    expect(await files.ids(LOCAL_TENANT)).toEqual([]);
    expect(await blobs.head(files.contentName(LOCAL_TENANT, id))).toBeNull();
  });

  it('is not one before its record is there; what a dead process left goes in time', async () => {
    const { blobs, clock, files, add } = await opened();
    const { id } = await add('x');
    const record = `${tenantFilesFolder(LOCAL_TENANT)}/${id}/file.json`;
    await blobs.delete(record);
    expect(await files.get(LOCAL_TENANT, id)).toBeNull();
    await files.removeStale();
    expect(await files.ids(LOCAL_TENANT)).toEqual([id]);
    clock.nowMs += HOUR_MS + 1_000;
    const whole = await add('y');
    await files.removeStale();
    expect(await files.ids(LOCAL_TENANT)).toEqual([whole.id]);
  });
});
