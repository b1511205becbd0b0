/** Files that tenants upload: request sets that lie in the store until somebody removes them. */

import { StoreDamage } from '../domain/errors.ts';
import type { FileId, TenantId } from '../domain/ids.ts';
import { parseFileId, parseTenantId } from '../domain/ids.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ids } from '../ports/ids.ts';
import { tenantFileName, tenantFilesFolder, TENANTS_FOLDER } from '../stages/names.ts';

/** What is said of an uploaded file. */
export interface UploadedFile {
  readonly id: FileId;
  /** For people: as the client named it, and never part of a path. */
  readonly filename: string;
  readonly sizeBytes: number;
  readonly createdAtMs: number;
  /** Null: it stays until it is removed. */
  readonly expiresAtMs: number | null;
}

export interface NewFile {
  /** A local file, which is consumed. */
  readonly localPath: string;
  readonly filename: string;
  readonly sizeBytes: number;
  readonly expiresAfterSeconds: number | null;
}

/** Content without its record is a dead process's, once it lies there for so long. */
const ORPHAN_AGE_MS = 60 * 60 * 1000;

export class UploadedFiles {
  readonly #blobs: BlobStore;
  readonly #ids: Pick<Ids, 'file'>;
  readonly #clock: Pick<Clock, 'wallMs'>;

  constructor(blobs: BlobStore, ids: Pick<Ids, 'file'>, clock: Pick<Clock, 'wallMs'>) {
    this.#blobs = blobs;
    this.#ids = ids;
    this.#clock = clock;
  }

  /** Takes the file in; durable when it resolves. The record comes last: it makes it a file. */
  async add(tenant: TenantId, file: NewFile): Promise<UploadedFile> {
    const { localPath, filename, sizeBytes, expiresAfterSeconds } = file;
    const createdAtMs = this.#clock.wallMs();
    const expiresAtMs =
      expiresAfterSeconds === null ? null : createdAtMs + expiresAfterSeconds * 1000;
    const id = this.#ids.file();
    const added: UploadedFile = { id, filename, sizeBytes, createdAtMs, expiresAtMs };
    await this.#blobs.putFile(this.contentName(tenant, id), localPath);
    const record = Buffer.from(`${JSON.stringify(added)}\n`);
    await this.#blobs.put(tenantFileName(tenant, id, 'file.json'), record);
    return added;
  }

  /**
   * Null where the tenant has no such file, or it has expired: then it is removed. Rejects with
   * StoreDamage where its record cannot be read.
   */
  async get(tenant: TenantId, id: FileId): Promise<UploadedFile | null> {
    const name = tenantFileName(tenant, id, 'file.json');
    const bytes = await this.#blobs.get(name);
    if (bytes === null) return null;
    const file = recordIn(bytes, name);
    if (file.expiresAtMs === null || file.expiresAtMs > this.#clock.wallMs()) return file;
    await this.remove(tenant, id);
    return null;
  }

  /** Ids of the tenant's files, oldest first. Some may have expired, or were never completed. */
  async ids(tenant: TenantId): Promise<FileId[]> {
    const names = await this.#blobs.list(tenantFilesFolder(tenant));
    return names.flatMap((name) => parseFileId(name.replace('/', '')) ?? []);
  }

  /** False where there was no such file. */
  async remove(tenant: TenantId, id: FileId): Promise<boolean> {
    const record = tenantFileName(tenant, id, 'file.json');
    const was = (await this.#blobs.head(record)) !== null;
    // First the record: nobody must find a file whose content is half gone.
    await this.#blobs.delete(record);
    await this.#blobs.deleteFolder(folderOf(tenant, id));
    return was;
  }

  /** The object that holds the file's bytes. */
  contentName(tenant: TenantId, id: FileId): string {
    return tenantFileName(tenant, id, 'content.jsonl');
  }

  /** Removes what has expired or was never completed, of every tenant; rejects in the end. */
  async removeStale(): Promise<void> {
    const failures: unknown[] = [];
    for (const name of await this.#blobs.list(TENANTS_FOLDER)) {
      const tenant = parseTenantId(name.replace('/', ''));
      if (tenant === null) continue;
      for (const id of await this.ids(tenant)) {
        // One that cannot be read must not keep the others for ever.
        await this.#removeIfStale(tenant, id).catch((error: unknown) => failures.push(error));
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  async #removeIfStale(tenant: TenantId, id: FileId): Promise<void> {
    if ((await this.get(tenant, id)) === null) await this.#removeOrphan(tenant, id);
  }

  async #removeOrphan(tenant: TenantId, id: FileId): Promise<void> {
    const content = await this.#blobs.head(this.contentName(tenant, id));
    if (content === null) return;
    if (this.#clock.wallMs() - content.modifiedAtMs < ORPHAN_AGE_MS) return;
    // Its record may have come a moment ago, after a long fsync: look again before it goes.
    if ((await this.get(tenant, id)) !== null) return;
    await this.#blobs.deleteFolder(folderOf(tenant, id));
  }
}

function recordIn(bytes: Buffer, name: string): UploadedFile {
  try {
    return JSON.parse(bytes.toString()) as UploadedFile;
  } catch {
    throw new StoreDamage(`${name} cannot be read`);
  }
}

function folderOf(tenant: TenantId, id: FileId): string {
  return `${tenantFilesFolder(tenant)}/${id}`;
}
