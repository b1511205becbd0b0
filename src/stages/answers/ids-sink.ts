/** Tells the digest of the ids of all lines, from the lines themselves. */

import { IdsDigest } from '../../jsonl/ids-digest.ts';
import { IdFinder } from './id-finder.ts';
import type { LineRun, LineSink } from './part-cursor.ts';

export class IdsSink implements LineSink {
  readonly #digest = new IdsDigest();
  readonly #ids = new IdFinder();
  #lines = 0;
  #sizeBytes = 0;

  take({ bytes, start, end, lines, ends }: LineRun): void {
    let at = start;
    for (let line = 0; line < lines; line += 1) {
      const behind = ends[line] as number;
      this.#ids.addTo(this.#digest, bytes, at, behind - 1);
      at = behind;
    }
    this.#lines += lines;
    this.#sizeBytes += end - start;
  }

  finish(): { sizeBytes: number; lines: number; idsDigest: string } {
    return { sizeBytes: this.#sizeBytes, lines: this.#lines, idsDigest: this.#digest.hex() };
  }
}
