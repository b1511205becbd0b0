import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFileBlobStore } from '../../src/adapters/file/blob-store.ts';
import { createIds } from '../../src/adapters/system/ids.ts';
import type { TenantId } from '../../src/domain/ids.ts';
import { AccessKeys } from '../../src/service/access-keys.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ACME = { tenant: 'acme' as TenantId, role: 'tenant', name: 'ci' } as const;
const OPERATOR = { tenant: 'ops' as TenantId, role: 'admin', name: '' } as const;

/** Processes on one store; their time stands still until it is moved. */
async function keyHolders() {
  const root = await temporaryFolder();
  const clock = { nowMs: 1_000_000, wallMs: () => clock.nowMs, monotonicMs: () => clock.nowMs };
  const ids = createIds(clock);
  const holder = () => new AccessKeys(createFileBlobStore(root), ids, clock);
  const files = async (): Promise<string> => {
    const folder = join(root, 'access/keys');
    const names = await readdir(folder);
    return (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join();
  };
  return { clock, holder, files, root };
}

describe('a key', () => {
  it('opens its tenant to whoever shows it, and nothing else does', async () => {
    const { holder } = await keyHolders();
    const keys = holder();
    const { text } = await keys.create(ACME);
    const { text: other } = await keys.create(OPERATOR);
    expect(await keys.authenticate(text)).toEqual({ tenant: 'acme', role: 'tenant' });
    expect(await keys.authenticate(other)).toEqual({ tenant: 'ops', role: 'admin' });
    const swapped = text.slice(0, 16) + other.slice(16);
    const wrong = [
      '',
      'bw_',
      swapped,
      `${text}x`,
      text.slice(0, -1),
      text.toUpperCase(),
      ` ${text}`,
      `${text.slice(0, 15)}_${'A'.repeat(43)}`,
      'bw_../../../etc_passwd',
      '__proto__',
    ];
    expect(await Promise.all(wrong.map((one) => keys.authenticate(one)))).toEqual(
      wrong.map(() => null),
    );
  });

  it('has 256 random bits and a public prefix', async () => {
    const { holder } = await keyHolders();
    const keys = holder();
    const made = [await keys.create(ACME), await keys.create(ACME)];
    for (const { text, key } of made) {
      expect(text).toMatch(/^bw_[0-9a-hjkmnp-tv-z]{12}_[A-Za-z0-9_-]{43}$/);
      expect(text.slice(3, 15)).toBe(key.prefix);
    }
    expect(new Set(made.map(({ text }) => text.slice(16))).size).toBe(2);
  });

  it('is kept as its hash only', async () => {
    const { holder, files } = await keyHolders();
    const { text, key } = await holder().create(ACME);
    const kept = await files();
    expect(kept).toContain('"tenant":"acme"');
    expect(kept).not.toContain(text.slice(16));
    expect(await holder().list()).toEqual([key]);
  });
});

describe('revoking', () => {
  it('ends a key at once here, and within five seconds in every other process', async () => {
    const { holder, clock } = await keyHolders();
    const [here, there] = [holder(), holder()];
    const { text, key } = await here.create(ACME);
    expect(await there.authenticate(text)).not.toBeNull();
    expect(await here.revoke(key.prefix)).toBe(true);
    expect(await here.authenticate(text)).toBeNull();
    clock.nowMs += 5_000;
    expect(await there.authenticate(text)).toBeNull();
    expect(await there.revoke(key.prefix)).toBe(false);
    expect(await there.list()).toEqual([{ ...key, revokedAtMs: 1_000_000 }]);
  });

  it('is done by one of many that try at once', async () => {
    const { holder } = await keyHolders();
    const { key } = await holder().create(ACME);
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, () => holder().revoke(key.prefix)),
    );
    expect(outcomes.filter(Boolean)).toHaveLength(1);
  });

  it('refuses what names no key', async () => {
    const { holder } = await keyHolders();
    for (const prefix of ['', '../keys', 'zzzzzzzzzzzz']) {
      await expect(holder().revoke(prefix)).rejects.toMatchObject({ code: 'unknown_key' });
    }
  });
});

describe('the store of keys', () => {
  it('says that there are keys though all are revoked', async () => {
    const { holder } = await keyHolders();
    const keys = holder();
    expect(await keys.any()).toBe(false);
    const { key } = await keys.create(ACME);
    await keys.revoke(key.prefix);
    expect(await keys.any()).toBe(true);
    expect(await holder().any()).toBe(true);
  });

  it('says that there are keys though none can be read, or only its end is there', async () => {
    for (const name of ['keys/k.json', 'keys/zzzzzzzzzzzz.json', 'revoked/zzzzzzzzzzzz.json']) {
      const { holder, root } = await keyHolders();
      await mkdir(join(root, 'access', dirname(name)), { recursive: true });
      await writeFile(join(root, 'access', name), '');
      expect([name, await holder().any()]).toEqual([name, true]);
    }
  });

  it('lets a file that a hand has spoilt open nothing, and shut nothing else', async () => {
    const { holder, root } = await keyHolders();
    const { text: spoilt, key } = await holder().create(ACME);
    const { text } = await holder().create(OPERATOR);
    for (const content of ['', 'null', '{"sha256":"","tenant":"acme"}', '{"sha256":1}']) {
      await writeFile(join(root, `access/keys/${key.prefix}.json`), content);
      const keys = holder();
      expect(await keys.authenticate(spoilt)).toBeNull();
      expect(await keys.authenticate(text)).toEqual({ tenant: 'ops', role: 'admin' });
    }
  });

  it('lets nobody in where it cannot be read, and tries again', async () => {
    const { clock, root } = await keyHolders();
    const blobs = createFileBlobStore(root);
    const ids = createIds(clock);
    const { text } = await new AccessKeys(blobs, ids, clock).create(ACME);
    let isBroken = true;
    const list: typeof blobs.list = async (folder) => {
      if (isBroken) throw new Error('EIO');
      return blobs.list(folder);
    };
    const keys = new AccessKeys({ ...blobs, get: (name) => blobs.get(name), list }, ids, clock);
    await expect(keys.authenticate(text)).rejects.toThrow('EIO');
    isBroken = false;
    expect(await keys.authenticate(text)).not.toBeNull();
  });
});
