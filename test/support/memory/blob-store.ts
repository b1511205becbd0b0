/** A blob store in memory: each write is one moment, so nothing is ever half done. */

import type { BlobStore } from '../../../src/ports/blob-store.ts';
import type { LocalFiles } from './local-files.ts';
import { notFound } from './local-files.ts';

const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

interface Blob {
  readonly bytes: Buffer;
  readonly modifiedAtMs: number;
}

type Folder = Map<string, Blob | Folder>;

export class MemoryBlobStore implements BlobStore {
  readonly #root: Folder = new Map();
  readonly #names = new Map<string, readonly string[]>();
  readonly #files: LocalFiles;
  readonly #wallMs: () => number;

  constructor(files: LocalFiles, wallMs: () => number) {
    this.#files = files;
    this.#wallMs = wallMs;
  }

  async putIfAbsent(name: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    if (this.#blob(name) !== null) return 'exists';
    this.#write(name, Buffer.from(bytes));
    return 'created';
  }

  async put(name: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    this.#segmentsOf(name);
    if (content instanceof Uint8Array) return this.#write(name, Buffer.from(content));
    const blocks: Uint8Array[] = [];
    for await (const block of content) blocks.push(block);
    this.#write(name, Buffer.concat(blocks));
  }

  async putFile(name: string, localPath: string): Promise<void> {
    this.#segmentsOf(name);
    this.#write(name, await this.#files.take(localPath));
  }

  async get(name: string, range?: { start: number; end: number }): Promise<Buffer | null> {
    const blob = this.#blob(name);
    if (blob === null) return null;
    return range === undefined ? blob.bytes : blob.bytes.subarray(range.start, range.end);
  }

  /** The object's bytes at once, for a test that looks from outside. Throws where absent. */
  peek(name: string): Buffer {
    const blob = this.#blob(name);
    if (blob === null) throw notFound(name);
    return blob.bytes;
  }

  async toLocal(name: string): Promise<string> {
    const blob = this.#blob(name);
    if (blob === null) throw notFound(name);
    return this.#files.lend(name, blob.bytes);
  }

  async head(name: string): Promise<{ sizeBytes: number; modifiedAtMs: number } | null> {
    const blob = this.#blob(name);
    return blob && { sizeBytes: blob.bytes.length, modifiedAtMs: blob.modifiedAtMs };
  }

  async list(folder: string): Promise<string[]> {
    const found = folder === '' ? this.#root : this.#find(this.#segmentsOf(folder));
    if (!(found instanceof Map)) return [];
    const names = [...found].map(([name, child]) => (child instanceof Map ? `${name}/` : name));
    return names.toSorted();
  }

  async delete(name: string): Promise<void> {
    if (this.#blob(name) !== null) this.#remove(this.#segmentsOf(name));
  }

  async deleteFolder(folder: string): Promise<void> {
    const segments = this.#segmentsOf(folder);
    if (this.#find(segments) instanceof Map) this.#remove(segments);
  }

  #blob(name: string): Blob | null {
    const found = this.#find(this.#segmentsOf(name));
    return found === null || found instanceof Map ? null : found;
  }

  #find(segments: readonly string[]): Blob | Folder | null {
    let at: Blob | Folder | undefined = this.#root;
    for (const segment of segments) {
      if (!(at instanceof Map)) return null;
      at = at.get(segment);
    }
    return at ?? null;
  }

  #write(name: string, bytes: Buffer): void {
    const segments = this.#segmentsOf(name);
    const last = segments.at(-1) ?? '';
    let folder = this.#root;
    for (const segment of segments.slice(0, -1)) {
      const child = folder.get(segment) ?? (new Map() as Folder);
      if (!(child instanceof Map)) throw new Error(`${name} lies below an object`);
      folder.set(segment, child);
      folder = child;
    }
    folder.set(last, { bytes, modifiedAtMs: this.#wallMs() });
  }

  /** Takes the child away, and every folder that is empty without it. */
  #remove(segments: readonly string[]): void {
    const parent = this.#find(segments.slice(0, -1));
    if (!(parent instanceof Map)) return;
    parent.delete(segments.at(-1) ?? '');
    if (parent.size === 0 && segments.length > 1) this.#remove(segments.slice(0, -1));
  }

  /** Names are asked for again and again: what they consist of is found out once. */
  #segmentsOf(name: string): readonly string[] {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const segments = name.split('/');
    if (!segments.every((segment) => SEGMENT.test(segment))) {
      throw new RangeError(`${JSON.stringify(name)} is not a name`);
    }
    this.#names.set(name, segments);
    return segments;
  }
}
