/** Tells the digest of the ids of all lines, from the lines themselves. */

import { IdsDigest } from '../../jsonl/ids-digest.ts';
import { IdFinder } from './id-finder.ts';
import type { LineSink } from './part-cursor.ts';

const NEWLINE = 0x0a;

export class IdsSink implements LineSink {
  readonly #digest = new IdsDigest();
  readonly #ids = new IdFinder();
  #lines = 0;
  #sizeBytes = 0;

  run(bytes: Buffer, start: number, end: number): void {
    for (let at = start; at < end;) {
      const newline = bytes.indexOf(NEWLINE, at);
      this.#ids.addTo(this.#digest, bytes, at, newline);
      this.#lines += 1;
      at = newline + 1;
    }
    this.#sizeBytes += end - start;
  }

  finish(): { sizeBytes: number; lines: number; idsDigest: string } {
    return { sizeBytes: this.#sizeBytes, lines: this.#lines, idsDigest: this.#digest.hex() };
  }
}
