/**
 * Tells people of trouble with Redis: once when it begins and once when it is over, however many
 * connections, bells and sweeps meet it.
 */

import { RedisTrouble, type TroubleKind } from './trouble.ts';

export type Tell = (line: string, level: 'info' | 'warning') => void;

/** Forgotten bells are told of at most so often: each flush loses many. */
const LOST_PAUSE_MS = 60_000;

export class RedisNews {
  readonly #tell: Tell;
  readonly #current = new Set<TroubleKind>();
  #lostAtMs = Number.NEGATIVE_INFINITY;

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  /**
   * Whether the error is trouble of Redis: then people have heard of it, now or before. Who met it
   * has put it into words: from here nobody can tell a disk that timed out from a Redis.
   */
  hear(error: unknown): boolean {
    if (!(error instanceof RedisTrouble)) return false;
    if (error.kind === 'lost') this.#hearOfLoss(error);
    else this.begin(error.kind, error.message);
    return true;
  }

  /** Whether it is in trouble as far as is known. */
  get isTroubled(): boolean {
    return this.#current.size > 0;
  }

  begin(kind: TroubleKind, message: string): void {
    if (!this.#current.has(kind)) this.#tell(message, 'warning');
    this.#current.add(kind);
  }

  /** A connection is ready again; what Redis refuses may still be refused. */
  reached(): void {
    this.#end(['away', 'loading', 'password', 'database'], 'Redis is back.');
  }

  /** A write was taken. */
  wrote(): void {
    this.reached();
    this.#end(['memory', 'read_only', 'persistence', 'permission'], 'Redis takes writes again.');
  }

  #end(kinds: readonly TroubleKind[], message: string): void {
    const ended = kinds.filter((kind) => this.#current.delete(kind));
    if (ended.length > 0) this.#tell(message, 'warning');
  }

  #hearOfLoss({ message }: RedisTrouble): void {
    const nowMs = performance.now();
    if (nowMs - this.#lostAtMs < LOST_PAUSE_MS) return;
    this.#lostAtMs = nowMs;
    this.#tell(message, 'warning');
  }
}
