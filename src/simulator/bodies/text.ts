/** Made-up text, with characters that trip careless readers now and then. */

import type { Draws } from '../random.ts';

const WORDS = (
  'the request was read and its subject is a card that did not arrive while the account holder ' +
  'asks about a pending transfer fee exchange rate refund top-up limit and how long it takes'
).split(' ');

// U+2028 and U+2029 are legal in JSON strings and are no line ends there.
const ODDITIES = ['\u2028', '\u2029', 'é', '日本語', '🙂', '"quoted"', 'a\\b', '\t', 'Ωμέγα'];
const ODDITY_SHARE = 0.02;

/** A sentence of some words. */
export function sentence(draws: Draws): string {
  const count = 6 + draws.below(18);
  const words = Array.from({ length: count }, () =>
    draws.next() < ODDITY_SHARE ? draws.pick(ODDITIES) : draws.pick(WORDS),
  );
  return `${words.join(' ')}.`;
}

/** One plain word. */
export function word(draws: Draws): string {
  return draws.pick(WORDS);
}

/** A rough count of the text's tokens. */
export function tokensOf(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}
