/** Decisions of a seed: each follows from its own words alone, not from when it is asked. */

import { createHash } from 'node:crypto';

export type Words = readonly (string | number)[];

export class Chance {
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** From 0 up to, not including, 1. */
  share(...words: Words): number {
    const digest = createHash('sha256')
      .update(JSON.stringify([this.#seed, ...words]))
      .digest();
    return digest.readUInt32BE(0) / 0x1_0000_0000;
  }

  is(share: number, ...words: Words): boolean {
    return this.share(...words) < share;
  }

  /** From `min` to `max`, both included. */
  whole(min: number, max: number, ...words: Words): number {
    return min + Math.floor(this.share(...words) * (max - min + 1));
  }

  pick<Item>(items: readonly Item[], ...words: Words): Item {
    const item = items[this.whole(0, items.length - 1, ...words)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }

  shuffled<Item>(items: readonly Item[], ...words: Words): Item[] {
    return items
      .map((item, index) => ({ item, at: this.share(...words, index) }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ item }) => item);
  }
}
