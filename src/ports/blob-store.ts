/**
 * The store of everything durable: named objects, written whole or not at all.
 *
 * Names are `/`-separated segments of [A-Za-z0-9._-]; no segment starts with a dot. Every write
 * is durable (fsynced, folders included) when its promise resolves. A reader never sees a part
 * of an object. Errors of the medium (ENOSPC, EIO, EROFS) reject with the system's own error.
 */
export interface BlobStore {
  /**
   * Writes the object only where no object has the name. Of racing writers exactly one gets
   * `created`. After either answer the object that has the name is durable. A rejected call may
   * still have written: read the object back to know, ask again to have it durable.
   */
  putIfAbsent(name: string, bytes: Uint8Array): Promise<'created' | 'exists'>;

  /** Writes or replaces the object atomically. */
  put(name: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;

  /**
   * Takes the local file in as the object, atomically, replacing one of the same name. The local
   * file is consumed (moved where the medium allows).
   */
  putFile(name: string, localPath: string): Promise<void>;

  /** The object's bytes, or the half-open byte range [start, end) of them; null where absent. */
  get(name: string, range?: { start: number; end: number }): Promise<Buffer | null>;

  /**
   * A local path with the object's content, to be read only: the object itself, or a download
   * into scratch. Rejects with ENOENT where absent.
   */
  toLocal(name: string): Promise<string>;

  head(name: string): Promise<{ sizeBytes: number; modifiedAtMs: number } | null>;

  /**
   * The direct children of a folder (`a/b` or '' for the root), sorted by name; a child that is
   * itself a folder ends with `/`. Unfinished writes are not listed. Empty where absent.
   */
  list(folder: string): Promise<string[]>;

  /** Removes the object; absent is fine. */
  delete(name: string): Promise<void>;

  /** Removes everything below the folder; absent is fine. */
  deleteFolder(folder: string): Promise<void>;
}
