/** Finds the custom_id of result lines, without reading further than to it. */

import { COLON, COMMA, JsonWalker, OPEN_BRACE, QUOTE } from '../../jsonl/json-walker.ts';
import type { IdsDigest } from '../../jsonl/ids-digest.ts';
import { keyAt } from './answer-keys.ts';

const LETTER_N = 0x6e;

export class IdFinder extends JsonWalker {
  /** Adds the id of the line [start, end) to the digest. Throws where it has none. */
  addTo(digest: IdsDigest, bytes: Buffer, start: number, end: number): void {
    this.attach(bytes);
    const at = this.#find(start);
    if (bytes[at] === LETTER_N) {
      digest.addMissing();
      return;
    }
    const behind = bytes[at] === QUOTE ? this.skipString(at + 1) : -1;
    if (behind < 0 || behind > end) throw new Error('a line of the result has no custom_id');
    if (this.escaped) {
      const id = Buffer.from(JSON.parse(bytes.toString('utf8', at, behind)) as string, 'utf8');
      digest.add(id, 0, id.length);
    } else {
      digest.add(bytes, at + 1, behind - 1);
    }
  }

  /** Where the value of the top-level custom_id begins, or -1. */
  #find(start: number): number {
    const { bytes } = this;
    let at = this.skipSpace(start);
    if (bytes[at] !== OPEN_BRACE) return -1;
    at = this.skipSpace(at + 1);
    while (bytes[at] === QUOTE) {
      const behind = this.skipString(at + 1);
      if (behind < 0) return -1;
      const isId = keyAt(bytes, at + 1, behind - 1)?.name === 'custom_id';
      at = this.skipSpace(behind);
      if (bytes[at] !== COLON) return -1;
      at = this.skipSpace(at + 1);
      if (isId) return at;
      at = this.skipSpace(this.skipValue(at, 0));
      if (bytes[at] !== COMMA) return -1;
      at = this.skipSpace(at + 1);
    }
    return -1;
  }
}
