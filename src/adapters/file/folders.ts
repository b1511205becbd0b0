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
    // Prompts lie below: a root that is made here is its owner's alone.
    const first = await mkdir(this.#root, { recursive: true, mode: 0o700 });
    if (first !== undefined) {
      const top = dirname(first);
      for (let path = this.#root; path !== top; path = dirname(path)) {
        await syncFolder(dirname(path));
      }
    }
    this.#remember('');
  }

  #remember(key: string): void {
    if (this.#known.size >= KNOWN_FOLDERS_MAX) this.#known.clear();
    this.#known.add(key);
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}
