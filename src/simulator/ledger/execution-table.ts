/**
 * Counts executions by request in flat arrays: 64 bits of a hash, two counts and the batch that
 * was paid first. A million requests take about 40 MB, and nothing of them is kept as text.
 */

import { hash } from 'node:crypto';

const START_SLOTS = 1 << 12;

export interface ExecutionCount {
  /** Executions with any outcome. */
  readonly executed: number;
  /** Executions with a delivered success: what one pays for. */
  readonly paid: number;
  /** Ordinal of the batch that was paid for it first; 0 where none was. */
  readonly firstPaidBatch: number;
}

export class ExecutionTable {
  #high = new Uint32Array(START_SLOTS);
  #low = new Uint32Array(START_SLOTS);
  #executed = new Uint16Array(START_SLOTS);
  #paid = new Uint16Array(START_SLOTS);
  #firstPaidBatch = new Uint32Array(START_SLOTS);
  #used = 0;

  /** Different requests seen. */
  get size(): number {
    return this.#used;
  }

  count(key: string): ExecutionCount {
    const slot = this.#slotOf(...digest(key));
    return {
      executed: this.#executed[slot] ?? 0,
      paid: this.#paid[slot] ?? 0,
      firstPaidBatch: this.#firstPaidBatch[slot] ?? 0,
    };
  }

  /** Adds an execution and returns the counts with it. */
  add(key: string, batchOrdinal: number, paid: boolean): ExecutionCount {
    if (this.#used * 2 >= this.#high.length) this.#grow();
    const [high, low] = digest(key);
    const slot = this.#slotOf(high, low);
    if (this.#executed[slot] === 0) {
      this.#used++;
      this.#high[slot] = high;
      this.#low[slot] = low;
    }
    this.#executed[slot] = (this.#executed[slot] ?? 0) + 1;
    if (paid) {
      this.#paid[slot] = (this.#paid[slot] ?? 0) + 1;
      if (this.#paid[slot] === 1) this.#firstPaidBatch[slot] = batchOrdinal;
    }
    return this.count(key);
  }

  #slotOf(high: number, low: number): number {
    const mask = this.#high.length - 1;
    let slot = low & mask;
    while (this.#executed[slot] !== 0) {
      if (this.#low[slot] === low && this.#high[slot] === high) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    const [high, low, executed, paid, first] = [
      this.#high,
      this.#low,
      this.#executed,
      this.#paid,
      this.#firstPaidBatch,
    ];
    const slots = high.length * 2;
    this.#high = new Uint32Array(slots);
    this.#low = new Uint32Array(slots);
    this.#executed = new Uint16Array(slots);
    this.#paid = new Uint16Array(slots);
    this.#firstPaidBatch = new Uint32Array(slots);
    for (let old = 0; old < high.length; old++) {
      if (executed[old] === 0) continue;
      const slot = this.#slotOf(high[old] ?? 0, low[old] ?? 0);
      this.#high[slot] = high[old] ?? 0;
      this.#low[slot] = low[old] ?? 0;
      this.#executed[slot] = executed[old] ?? 0;
      this.#paid[slot] = paid[old] ?? 0;
      this.#firstPaidBatch[slot] = first[old] ?? 0;
    }
  }
}

function digest(key: string): [number, number] {
  const bytes = hash('sha256', key, 'buffer');
  return [bytes.readUInt32LE(0), bytes.readUInt32LE(4)];
}
