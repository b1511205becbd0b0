/** The first rejected lines, for people to mend, and how many there are. */

import type { RejectedLine, Rejection } from '../../domain/request.ts';

export class Rejections {
  total = 0;
  readonly #maxReported: number;
  #kept: RejectedLine[] = [];

  constructor(maxReported: number) {
    this.#maxReported = maxReported;
  }

  /** Lines may come in any order. */
  add(line: number, rejection: Rejection): void {
    this.total += 1;
    this.#kept.push({ line, ...rejection });
    if (this.#kept.length > 2 * this.#maxReported) this.#kept = this.first();
  }

  /** The first by line, at most `maxReported`. */
  first(): RejectedLine[] {
    return this.#kept.toSorted((a, b) => a.line - b.line).slice(0, this.#maxReported);
  }
}
