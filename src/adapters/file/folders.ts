/** The folders below a root: made durably, and each known to be on the medium before it is used. */

import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { codeOf, isAbsent, nullIfAbsent, syncFolder } from './durable.ts';

/** A bound on memory; forgetting costs one more flush of each folder. */
const KNOWN_FOLDERS_MAX = 50_000;

export class DurableFolders {
  readonly #root: string;
  readonly #known = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  /**
   * Does the work in the folder (segments below the root), which exists by then. Where another
   * process removed it in between, it is made and the work done once more.
   */
  async within<Value>(
    segments: readonly string[],
    work: (path: string) => Promise<Value>,
  ): Promise<Value> {
    const path = await this.#ensure(segments);
    try {
      return await work(path);
    } catch (error) {
      if (!isAbsent(error) || (await stat(path).catch(nullIfAbsent)) !== null) throw error;
      this.forget();
      return work(await this.#ensure(segments));
    }
  }

  /** Forgets what is known, because folders may have been removed. */
  forget(): void {
    this.#known.clear();
  }

  /**
   * Makes the folder and its parents. One that stands there already is flushed too, once: who
   * made it may have died before doing so.
   */
  async #ensure(segments: readonly string[]): Promise<string> {
    if (!this.#known.has('')) await this.#ensureRoot();
    let path = this.#root;
    let key = '';
    for (const segment of segments) {
      const parent = path;
      path = join(path, segment);
      key += `${segment}/`;
      if (this.#known.has(key)) continue;
      await makeFolder(path);
      await syncFolder(parent);
      this.#remember(key);
    }
    return path;
  }

  async #ensureRoot(): Promise<void> {
    for (const made of await makeFolders(this.#root)) await syncFolder(dirname(made));
    this.#remember('');
  }

  #remember(key: string): void {
    if (this.#known.size >= KNOWN_FOLDERS_MAX) this.#known.clear();
    this.#known.add(key);
  }
}

/**
 * Makes the folder and the ancestors that it lacks, for their owner alone: prompts lie below.
 * Resolves to those it made. (mkdir's own `recursive` never ends where the system answers ENOENT
 * below a folder that exists, as /proc does.)
 */
export async function makeFolders(path: string): Promise<string[]> {
  if ((await stat(path).catch(nullIfAbsent)) !== null || dirname(path) === path) return [];
  const made = await makeFolders(dirname(path));
  await makeFolder(path, 0o700);
  return [...made, path];
}

async function makeFolder(path: string, mode?: number): Promise<void> {
  try {
    await mkdir(path, mode);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}
