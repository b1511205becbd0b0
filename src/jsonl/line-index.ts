/**
 * The index of a chunk: one fixed record for each line that belongs to it, in input order, and
 * the ids beside it. It is what lets an attempt upload ranges and a settler put answers in order
 * without parsing a request again.
 *
 * `lines.idx`: records of 24 bytes, little-endian:
 *   0 u32 line number, low · 4 u16 line number, high · 6 u8 flags · 7 u8 zero
 *   8 u32 offset · 12 u32 length (with its newline) · 16 u32 id offset · 20 u32 id length
 * A sent line's offset is in `requests.jsonl`; a rejected line's is in `rejected.jsonl`, which
 * holds its finished error line. `ids.bin`: the ids' bytes as they stand between the quotes.
 */

export const RECORD_BYTES = 24;

/** The line is not sent; its answer is in rejected.jsonl. */
export const FLAG_REJECTED = 1;
/** The id's bytes hold a backslash escape: decode before comparing. */
export const FLAG_ESCAPED_ID = 2;
/** The line has no id that could be read (a rejected line only). */
export const FLAG_NO_ID = 4;

export interface LineRecord {
  /** Counted from 1 over the whole input. */
  readonly line: number;
  readonly flags: number;
  readonly offset: number;
  /** With its newline. */
  readonly length: number;
  readonly idOffset: number;
  readonly idLength: number;
}

/** Writes record number `index` into the buffer. */
export function writeRecord(buffer: Buffer, index: number, record: LineRecord): void {
  const at = index * RECORD_BYTES;
  buffer.writeUInt32LE(record.line % 0x1_0000_0000, at);
  buffer.writeUInt16LE(Math.floor(record.line / 0x1_0000_0000), at + 4);
  buffer.writeUInt8(record.flags, at + 6);
  buffer.writeUInt8(0, at + 7);
  buffer.writeUInt32LE(record.offset, at + 8);
  buffer.writeUInt32LE(record.length, at + 12);
  buffer.writeUInt32LE(record.idOffset, at + 16);
  buffer.writeUInt32LE(record.idLength, at + 20);
}

/** A chunk's index in memory: reads records by number, 0 ≤ number < count. */
export class LineIndex {
  readonly count: number;
  readonly #records: Buffer;
  readonly #ids: Buffer;

  /** Throws a RangeError where the bytes are not whole records. */
  constructor(records: Buffer, ids: Buffer) {
    if (records.length % RECORD_BYTES !== 0) {
      throw new RangeError(`lines.idx has ${records.length} bytes: not whole records`);
    }
    this.count = records.length / RECORD_BYTES;
    this.#records = records;
    this.#ids = ids;
  }

  line(index: number): number {
    const at = index * RECORD_BYTES;
    return this.#records.readUInt32LE(at) + this.#records.readUInt16LE(at + 4) * 0x1_0000_0000;
  }

  isRejected(index: number): boolean {
    return (this.#flags(index) & FLAG_REJECTED) !== 0;
  }

  hasId(index: number): boolean {
    return (this.#flags(index) & FLAG_NO_ID) === 0;
  }

  offset(index: number): number {
    return this.#records.readUInt32LE(index * RECORD_BYTES + 8);
  }

  /** Bytes with the newline. */
  length(index: number): number {
    return this.#records.readUInt32LE(index * RECORD_BYTES + 12);
  }

  /** The id's bytes as they stand in the input between the quotes; a view, not a copy. */
  rawId(index: number): Buffer {
    const at = index * RECORD_BYTES;
    const start = this.#records.readUInt32LE(at + 16);
    return this.#ids.subarray(start, start + this.#records.readUInt32LE(at + 20));
  }

  /** The decoded id's UTF-8 bytes: a view where nothing had to be decoded. */
  idBytes(index: number): Buffer {
    const raw = this.rawId(index);
    return (this.#flags(index) & FLAG_ESCAPED_ID) === 0 ? raw : decodeId(raw);
  }

  #flags(index: number): number {
    return this.#records.readUInt8(index * RECORD_BYTES + 6);
  }
}

/** The UTF-8 bytes of the JSON string whose raw bytes stand between the quotes. */
export function decodeId(raw: Buffer): Buffer {
  return Buffer.from(JSON.parse(`"${raw.toString('utf8')}"`) as string, 'utf8');
}
