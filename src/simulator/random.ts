/** Seeded chance: every draw is a function of the seed and of what the draw is about. */

import { hash } from 'node:crypto';

export type Seed = number | string;

/** A number in [0, 1), always the same for the same seed and subject. */
export function chance(seed: Seed, ...subject: (string | number)[]): number {
  return Number.parseInt(hexOf(12, seed, ...subject), 16) / 0x1_0000_0000_0000;
}

/** At most 64 hexadecimal digits, always the same for the same seed and subject. */
export function hexOf(digits: number, seed: Seed, ...subject: (string | number)[]): string {
  return hash('sha256', [seed, ...subject].join('\0')).slice(0, digits);
}

/** A cheap endless sequence of draws that starts from 32 bits. */
export class Draws {
  #state: number;

  constructor(start: number) {
    this.#state = start >>> 0;
  }

  /** A number in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  /** A whole number in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  /** One of the list's items; the list must not be empty. */
  pick<Item>(list: readonly Item[]): Item {
    return list[this.below(list.length)] as Item;
  }
}

/** Draws for a subject. */
export function drawsFor(seed: Seed, ...subject: (string | number)[]): Draws {
  return new Draws(Number.parseInt(hexOf(8, seed, ...subject), 16));
}

/** The numbers 0 … count − 1 in an order that the draws decide. */
export function shuffled(count: number, draws: Draws): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = draws.below(last + 1);
    const held = order[last] as number;
    order[last] = order[other] as number;
    order[other] = held;
  }
  return order;
}
