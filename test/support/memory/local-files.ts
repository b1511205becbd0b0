/** Local files for adapters in memory: real ones in a folder, or only a map. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface LocalFiles {
  /** The file's bytes; the file is gone afterwards. Rejects with ENOENT where absent. */
  take(path: string): Promise<Buffer>;
  /** A path where the bytes can be read. */
  lend(name: string, bytes: Buffer): Promise<string>;
}

/** Real files below a folder. */
export function filesIn(folder: string): LocalFiles {
  return {
    async take(path) {
      const bytes = await readFile(path);
      await rm(path);
      return bytes;
    },
    async lend(name, bytes) {
      const own = await mkdtemp(join(folder, 'lent-'));
      const path = join(own, name.replaceAll('/', '_'));
      await writeFile(path, bytes);
      return path;
    },
  };
}

/** Files that are only a map from paths to bytes: for a simulation that touches no disk. */
export class MemoryFiles implements LocalFiles {
  readonly #files = new Map<string, Buffer>();

  /** Throws an ENOENT as node does. */
  read(path: string): Buffer {
    const bytes = this.#files.get(path);
    if (bytes === undefined) throw notFound(path);
    return bytes;
  }

  write(path: string, bytes: Buffer): void {
    this.#files.set(path, bytes);
  }

  removeFolder(folder: string): void {
    for (const path of this.#files.keys()) {
      if (path.startsWith(`${folder}/`)) this.#files.delete(path);
    }
  }

  async take(path: string): Promise<Buffer> {
    const bytes = this.read(path);
    this.#files.delete(path);
    return bytes;
  }

  async lend(name: string, bytes: Buffer): Promise<string> {
    const path = `store:${name}`;
    this.write(path, bytes);
    return path;
  }
}

/** The error of a system call on a path that is not there. */
export function notFound(path: string): Error {
  return Object.assign(new Error(`ENOENT: no such file: ${path}`), { code: 'ENOENT' });
}
