import { expect, it } from 'vitest';
import { createFileBlobStore } from '../../src/adapters/file/blob-store.ts';
import type { TenantId } from '../../src/domain/ids.ts';
import { TenantUsage } from '../../src/service/tenant-usage.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ACME = 'acme' as TenantId;

it('looks once for all who ask while the look takes its time', async () => {
  const store = createFileBlobStore(await temporaryFolder());
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs };
  const held = Promise.withResolvers<void>();
  let looks = 0;
  const list = async (folder: string) => {
    if (folder === 'tenants/acme/files') looks += 1;
    await held.promise;
    return store.list(folder);
  };
  const usage = new TenantUsage({ ...store, list }, clock);
  const asked = [];
  for (; clock.nowMs < 300_000; clock.nowMs += 60_000) asked.push(usage.bytes(ACME));
  held.resolve();
  expect(await Promise.all(asked)).toEqual([0, 0, 0, 0, 0]);
  expect(looks).toBe(1);
});

it('adds up everything of the tenant’s jobs and files, and nothing of anybody else', async () => {
  const blobs = createFileBlobStore(await temporaryFolder());
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs };
  const usage = new TenantUsage(blobs, clock);
  expect(await usage.bytes(ACME)).toBe(0);

  const job = `job_${'1'.repeat(26)}`;
  const put = (name: string, sizeBytes: number) => blobs.put(name, Buffer.alloc(sizeBytes));
  await put(`tenants/acme/jobs/${job}`, 0);
  await put(`local/jobs/${job}/result.jsonl`, 1_000);
  await put(`local/jobs/${job}/chunks/c000000/requests.jsonl`, 200);
  await put(`local/jobs/job_${'2'.repeat(26)}/result.jsonl`, 7);
  await put('tenants/acme/files/file-1/content.jsonl', 30);
  for (let index = 0; index < 40; index += 1) await put(`tenants/acme/files/file-${index}/x`, 1);
  await put('tenants/other/files/file-1/content.jsonl', 9);
  expect(await usage.bytes(ACME)).toBe(0);
  clock.nowMs = 30_000;
  expect(await usage.bytes(ACME)).toBe(1_270);
});

it('counts what is on its way and what came since the last look, and that once', async () => {
  const blobs = createFileBlobStore(await temporaryFolder());
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs };
  const usage = new TenantUsage(blobs, clock);
  const share = { tenant: ACME, quotaBytes: 100, keeps: true };
  const claimed = Promise.withResolvers<readonly boolean[]>();
  const held = Promise.withResolvers<void>();
  const coming = usage.within(share, async (claim) => {
    claimed.resolve([claim(40), claim(101), claim(60)]);
    await held.promise;
    await blobs.put('tenants/acme/files/file-1/content.jsonl', Buffer.alloc(60));
  });
  expect(await claimed.promise).toEqual([true, false, true]);
  const claims = async (sizeBytes: number, more: object = {}) =>
    usage.within({ ...share, ...more }, async (claim) => claim(sizeBytes));
  expect(await claims(41)).toBe(false);
  expect(await claims(40, { keeps: false })).toBe(true);
  expect(await claims(50, { tenant: 'umbrella' })).toBe(true);
  const failing = usage.within(share, async (claim) => {
    claim(40);
    throw new Error('cut');
  });
  await expect(failing).rejects.toThrow('cut');
  held.resolve();
  await coming;
  expect(await usage.bytes(ACME)).toBe(60);
  expect(await claims(41)).toBe(false);
  clock.nowMs = 30_000;
  expect(await usage.bytes(ACME)).toBe(60);
  expect(await claims(40)).toBe(true);
});
