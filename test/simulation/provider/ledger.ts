/**
 * What was paid, and by which batch. A success that is paid twice breaks the promise, unless the
 * provider broke one first:
 *   - a batch that it did not list although its input file had been deleted already (listing that
 *     lags behind everything that a client can wait for);
 *   - two batches made by one POST;
 *   - a paid answer that it never delivered: the request counts as unanswered and goes again.
 */

import type { Batch } from './batch.ts';

export class Ledger {
  readonly #paid = new Map<string, Batch[]>();
  /** Requests whose paid answer was left out of every file. */
  readonly #withheld = new Set<string>();
  /** Batches that no list showed when their attempt was given up. */
  readonly #hidden = new Set<Batch>();
  /** Requests that were paid twice for a reason of the provider's own. */
  excused = 0;

  /** A reason why this payment must not be; null where it may. */
  pay(customId: string, batch: Batch): string | null {
    const before = this.#paid.get(customId) ?? [];
    this.#paid.set(customId, [...before, batch]);
    if (before.length === 0) return null;
    const all = [...before, batch];
    if (this.#withheld.has(customId) || all.some((one) => this.isExcused(one))) {
      this.excused += 1;
      return null;
    }
    return `${customId} is paid twice: ${all.map(({ id }) => id).join(', ')}`;
  }

  withhold(customId: string): void {
    this.#withheld.add(customId);
  }

  isWithheld(customId: string): boolean {
    return this.#withheld.has(customId);
  }

  hide(batch: Batch): void {
    this.#hidden.add(batch);
  }

  isExcused(batch: Batch): boolean {
    return batch.isTwin || this.#hidden.has(batch);
  }

  /** The batches that answered the request with a success. */
  payers(customId: string): readonly Batch[] {
    return this.#paid.get(customId) ?? [];
  }

  get requests(): number {
    return this.#paid.size;
  }
}
