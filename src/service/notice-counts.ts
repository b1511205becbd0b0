/** How often each notice was told since the process began: what metrics are made of. */

import type { NoticeCode, NoticeLevel } from '../domain/alert.ts';
import type { Clock } from '../ports/clock.ts';
import type { Notice, Notices } from '../ports/notices.ts';

export interface NoticeCount {
  readonly code: NoticeCode;
  readonly level: NoticeLevel;
  readonly count: number;
  /** Wall time of the last one. */
  readonly lastAtMs: number;
}

export class NoticeCounts implements Notices {
  readonly #next: Notices;
  readonly #clock: Clock;
  readonly #counts = new Map<string, NoticeCount>();

  /** Hands every notice on to `next`. */
  constructor(next: Notices, clock: Clock) {
    this.#next = next;
    this.#clock = clock;
  }

  tell(notice: Notice): void {
    const { code, level } = notice;
    const count = (this.#counts.get(`${level} ${code}`)?.count ?? 0) + 1;
    this.#counts.set(`${level} ${code}`, { code, level, count, lastAtMs: this.#clock.wallMs() });
    this.#next.tell(notice);
  }

  /** One entry for each code and level that was told. */
  all(): NoticeCount[] {
    return [...this.#counts.values()];
  }
}
