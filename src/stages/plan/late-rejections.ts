/**
 * Turns lines that are written already into rejected ones: duplicates are known only at the end.
 * The request's bytes stay in requests.jsonl; no record points at them any more.
 */

import { closeSync, fsyncSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Rejection } from '../../domain/request.ts';
import { FLAG_REJECTED, LineIndex, RECORD_BYTES } from '../../jsonl/line-index.ts';
import { writeAll } from './append-file.ts';
import { ownErrorLine } from '../own-error-line.ts';

/** Chunks whose files are held open at once. */
const MAX_OPEN = 50;

interface OpenFiles {
  readonly index: number;
  readonly ids: number;
  readonly rejected: number;
  /** Size of rejected.jsonl. */
  sizeBytes: number;
}

export class LateRejections {
  readonly #open = new Map<string, OpenFiles>();

  /** Rejects the line of record number `record` in the chunk's folder. */
  add(folder: string, record: number, rejection: Rejection): void {
    const files = this.#open.get(folder) ?? this.#openFiles(folder);
    const bytes = read(files.index, record * RECORD_BYTES, RECORD_BYTES);
    const idOffset = bytes.readUInt32LE(16);
    const rawId = read(files.ids, idOffset, bytes.readUInt32LE(20));
    const line = new LineIndex(bytes, rawId).line(0);
    const answer = ownErrorLine(rawId, line, rejection);
    writeAll(files.rejected, answer, 0, answer.length, files.sizeBytes);
    bytes.writeUInt8(bytes.readUInt8(6) | FLAG_REJECTED, 6);
    bytes.writeUInt32LE(files.sizeBytes, 8);
    bytes.writeUInt32LE(answer.length, 12);
    writeAll(files.index, bytes, 0, RECORD_BYTES, record * RECORD_BYTES);
    files.sizeBytes += answer.length;
  }

  /** Syncs and closes everything. */
  finish(): void {
    for (const files of this.#open.values()) {
      fsyncSync(files.index);
      fsyncSync(files.rejected);
    }
    this.abandon();
  }

  abandon(): void {
    for (const { index, ids, rejected } of this.#open.values()) {
      for (const fd of [index, ids, rejected]) closeSync(fd);
    }
    this.#open.clear();
  }

  #openFiles(folder: string): OpenFiles {
    if (this.#open.size === MAX_OPEN) this.finish();
    const rejected = openSync(join(folder, 'rejected.jsonl'), 'a+');
    closeSync(rejected);
    const files = {
      index: openSync(join(folder, 'lines.idx'), 'r+'),
      ids: openSync(join(folder, 'ids.bin'), 'r'),
      rejected: openSync(join(folder, 'rejected.jsonl'), 'r+'),
      sizeBytes: 0,
    };
    files.sizeBytes = fstatSync(files.rejected).size;
    this.#open.set(folder, files);
    return files;
  }
}

function read(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const count = readSync(fd, bytes, done, length - done, position + done);
    if (count === 0) throw new Error('a file of the chunk ends early');
    done += count;
  }
  return bytes;
}
