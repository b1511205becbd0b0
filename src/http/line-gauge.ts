/** Measures lines as bytes stream by: finds one that is too long without looking at every line. */

const NEWLINE = 10;

export class LineGauge {
  readonly #maxLineBytes: number;
  /** Bytes of all blocks so far. */
  #passed = 0;
  /** Where the line that is still open begins, counted from the first byte of all. */
  #lineStart = 0;

  /** `maxLineBytes` does not count the line's end. */
  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** Where the open line begins; the one that is too long, once `takes` has said so. */
  get lineStart(): number {
    return this.#lineStart;
  }

  /** Goes over the next block; false: a line is too long, and nothing more can be asked. */
  takes(block: Buffer): boolean {
    // Below 0 where the line began in an earlier block.
    let start = this.#lineStart - this.#passed;
    while (block.length - start > this.#maxLineBytes) {
      // The last end within reach: all lines before it are short enough whatever they are.
      const end = block.lastIndexOf(NEWLINE, start + this.#maxLineBytes);
      if (end < Math.max(start, 0)) {
        this.#lineStart = this.#passed + start;
        return false;
      }
      start = end + 1;
    }
    const end = block.lastIndexOf(NEWLINE);
    if (end >= Math.max(start, 0)) start = end + 1;
    this.#lineStart = this.#passed + start;
    this.#passed += block.length;
    return true;
  }
}
