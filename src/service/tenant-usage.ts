/** What each tenant's jobs and files occupy, with what is still on its way in. */

import type { TenantId } from '../domain/ids.ts';
import { parseJobId } from '../domain/ids.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Clock } from '../ports/clock.ts';
import { concurrently } from '../stages/concurrently.ts';
import { jobFolder, tenantFilesFolder, tenantJobsFolder } from '../stages/names.ts';
import { Recent } from './recent.ts';

/** Adding up looks at every object: uploads that come together share one look. */
const KEPT_MS = 30_000;

const LOOKS_AT_ONCE = 16;

/** Whether the tenant has room for so many bytes of one work in all; then they count as its own. */
export type Claim = (sizeBytes: number) => boolean;

export interface Share {
  readonly tenant: TenantId;
  /** What the tenant may occupy. */
  readonly quotaBytes: number;
  /** Whether what the work brings stays in the store when it resolves. */
  readonly keeps: boolean;
}

interface Account {
  /** What the last look has found. */
  seenBytes: number;
  /** What was stored since that look began. */
  storedBytes: number;
  /** What works that are under way have claimed. */
  comingBytes: number;
}

export class TenantUsage {
  readonly #blobs: BlobStore;
  readonly #looks: Recent<TenantId, void>;
  readonly #accounts = new Map<TenantId, Account>();

  constructor(blobs: BlobStore, clock: Pick<Clock, 'monotonicMs'>) {
    this.#blobs = blobs;
    this.#looks = new Recent(clock, KEPT_MS);
  }

  /**
   * Bytes of what the tenant uploaded and of all that was made of it, as they were at most 30 s
   * ago, or longer where there is so much that adding up takes long; and of all that this process
   * has taken since. The jobs of commands are nobody's here.
   */
  async bytes(tenant: TenantId): Promise<number> {
    return usedBytes(await this.#looked(tenant));
  }

  /** Does work that brings bytes, and claims them before it writes them. */
  async within<Value>(
    { tenant, quotaBytes, keeps }: Share,
    work: (claim: Claim) => Promise<Value>,
  ): Promise<Value> {
    const account = await this.#looked(tenant);
    let claimedBytes = 0;
    const claim = (sizeBytes: number): boolean => {
      const moreBytes = sizeBytes - claimedBytes;
      if (moreBytes <= 0) return true;
      if (usedBytes(account) + moreBytes > quotaBytes) return false;
      claimedBytes += moreBytes;
      account.comingBytes += moreBytes;
      return true;
    };
    try {
      const value = await work(claim);
      if (keeps) account.storedBytes += claimedBytes;
      return value;
    } finally {
      account.comingBytes -= claimedBytes;
    }
  }

  async #looked(tenant: TenantId): Promise<Account> {
    const account = this.#accounts.get(tenant) ?? { seenBytes: 0, storedBytes: 0, comingBytes: 0 };
    this.#accounts.set(tenant, account);
    await this.#looks.get(tenant, async () => {
      // What is stored while the look goes on may be seen by it or not: the next one sees it.
      const { storedBytes } = account;
      account.seenBytes = await this.#look(tenant);
      account.storedBytes -= storedBytes;
    });
    return account;
  }

  async #look(tenant: TenantId): Promise<number> {
    let sum = await this.#folderBytes(tenantFilesFolder(tenant));
    for (const name of await this.#blobs.list(tenantJobsFolder(tenant))) {
      const job = parseJobId(name);
      if (job !== null) sum += await this.#folderBytes(jobFolder(job));
    }
    return sum;
  }

  /** Of every object below it; what goes meanwhile counts nothing. */
  async #folderBytes(folder: string): Promise<number> {
    let sum = 0;
    const names = await this.#blobs.list(folder);
    await concurrently(names, LOOKS_AT_ONCE, async (name) => {
      const path = `${folder}/${name}`;
      const bytes = path.endsWith('/')
        ? await this.#folderBytes(path.slice(0, -1))
        : ((await this.#blobs.head(path))?.sizeBytes ?? 0);
      sum += bytes;
    });
    return sum;
  }
}

function usedBytes({ seenBytes, storedBytes, comingBytes }: Account): number {
  return seenBytes + storedBytes + comingBytes;
}
