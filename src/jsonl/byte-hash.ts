/** A fast 64-bit hash of bytes in two 32-bit lanes. Not for secrets: equal hashes prove nothing. */

/** One object for a whole run: every call of `of` overwrites both lanes. */
export class ByteHash {
  low = 0;
  high = 0;

  /** Hashes [start, end); both lanes are unsigned. */
  of(bytes: Uint8Array, start: number, end: number): void {
    let low = 0x9e3779b9 ^ (end - start);
    let high = 0x85ebca6b;
    for (let i = start; i < end; i += 1) {
      const byte = bytes[i] as number;
      low = Math.imul(low ^ byte, 0x01000193);
      high = Math.imul(((high << 5) | (high >>> 27)) ^ byte, 0x2c1b3c6d);
    }
    this.low = mixed(low ^ (high >>> 7));
    this.high = mixed(high ^ Math.imul(low, 0x297a2d39));
  }
}

/** Spreads every bit of the lane over all of them. */
function mixed(lane: number): number {
  let x = lane ^ (lane >>> 16);
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}
