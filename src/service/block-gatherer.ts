/** Joins small pieces of a stream to blocks that are worth sending. */

/** Blocks of this size cost little each, and a reader holds but one of them. */
export const BLOCK_BYTES = 256 * 1024;

export class BlockGatherer {
  #pieces: Buffer[] = [];
  #sizeBytes = 0;

  /** Takes a piece; returns what came before it where both together would be too much. */
  add(piece: Buffer): Buffer | null {
    const block = this.#sizeBytes + piece.length > BLOCK_BYTES ? this.take() : null;
    this.#pieces.push(piece);
    this.#sizeBytes += piece.length;
    return block;
  }

  /** What has come together; null: nothing. */
  take(): Buffer | null {
    const [first] = this.#pieces;
    if (first === undefined) return null;
    const block = this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#sizeBytes = 0;
    return block;
  }
}
