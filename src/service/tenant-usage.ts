/** What each tenant's jobs and files occupy. */

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

export class TenantUsage {
  readonly #blobs: BlobStore;
  readonly #looks: Recent<TenantId, number>;

  constructor(blobs: BlobStore, clock: Pick<Clock, 'monotonicMs'>) {
    this.#blobs = blobs;
    this.#looks = new Recent(clock, KEPT_MS);
  }

  /**
   * Bytes of what the tenant uploaded and of all that was made of it, as they were at most 30 s
   * ago, or longer where there is so much that adding up takes long. The jobs of commands are
   * nobody's here.
   */
  async bytes(tenant: TenantId): Promise<number> {
    return this.#looks.get(tenant, () => this.#look(tenant));
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
