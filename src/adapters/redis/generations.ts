/**
 * The well-known names of one data directory's servers: `<hash>.<n>.sock`, a higher number for
 * each server that took the place of one that ended. Only the highest counts, and it is never
 * removed, so a slow process cannot bring an old number back to life.
 */

import { createHash } from 'node:crypto';
import { link, lstat, mkdir, readdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { Refusal } from '../../domain/errors.ts';

/** What a socket's address holds on every system that is served, in bytes. */
const MAX_SOCKET_PATH_BYTES = 103;

export class Generations {
  readonly folder: string;
  readonly #hash: string;

  private constructor(folder: string, hash: string) {
    this.folder = folder;
    this.#hash = hash;
  }

  /** Makes both folders where absent; refuses a runtime directory that is another user's. */
  static async of(dataDir: string, runtimeDir: string): Promise<Generations> {
    await mkdir(dataDir, { recursive: true });
    await mkdir(runtimeDir, { recursive: true, mode: 0o700 });
    const found = await lstat(runtimeDir);
    if (!found.isDirectory() || (process.getuid && found.uid !== process.getuid())) {
      throw new Refusal('configuration', `The runtime directory ${runtimeDir} is another user's.`);
    }
    const digest = createHash('sha256').update(await realpath(dataDir));
    const generations = new Generations(runtimeDir, digest.digest('hex').slice(0, 16));
    if (Buffer.byteLength(generations.pathOf(999_999)) > MAX_SOCKET_PATH_BYTES) {
      const way = 'set XDG_RUNTIME_DIR to a shorter one';
      throw new Refusal(
        'configuration',
        `The runtime directory ${runtimeDir} is too long for a socket's address: ${way}.`,
      );
    }
    return generations;
  }

  pathOf(generation: number): string {
    return join(this.folder, `${this.#hash}.${generation}.sock`);
  }

  /** A name that no other process looks for, no longer than a generation's. */
  privatePath(nonce: string): string {
    return join(this.folder, `${this.#hash}.${nonce}`);
  }

  /** The highest number that was ever claimed; 0: none was. */
  async newest(): Promise<number> {
    return Math.max(0, ...(await this.#numbers()));
  }

  /**
   * Gives the listening private socket the name of the generation. False: another process has
   * that generation, or a later one.
   */
  async claim(privatePath: string, generation: number): Promise<boolean> {
    try {
      await link(privatePath, this.pathOf(generation));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
    if ((await this.newest()) === generation) return true;
    await rm(this.pathOf(generation), { force: true });
    return false;
  }

  /** Removes the names of servers that a later one followed. */
  async removeBefore(generation: number): Promise<void> {
    const old = (await this.#numbers()).filter((number) => number < generation);
    await Promise.all(old.map((number) => rm(this.pathOf(number), { force: true })));
  }

  async #numbers(): Promise<number[]> {
    const shape = new RegExp(`^${this.#hash}\\.([0-9]+)\\.sock$`);
    const names = await readdir(this.folder);
    return names.flatMap((name) => shape.exec(name)?.[1] ?? []).map(Number);
  }
}
