/** Verify: proves from a result's bytes alone that it is what its manifest says. */

import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { IdsDigest } from '../../jsonl/ids-digest.ts';
import { RepeatedIds } from './repeated-ids.ts';
import { ResultLines } from './result-lines.ts';

export interface VerifyTask {
  readonly resultPath: string;
  /** A folder for what does not fit into memory: 8 bytes an id; the file in it goes again. */
  readonly scratchFolder: string;
  /** What the manifest says. */
  readonly expect: ExpectedResult;
}

export interface ExpectedResult {
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly lines: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly rejected: number;
  readonly idsDigest: string;
}

export interface Verification {
  readonly ok: boolean;
  /** Sentences; at most 20 of each kind. */
  readonly problems: readonly string[];
  /** `failed` counts rejected lines too: the bytes do not always tell them apart. */
  readonly counts: {
    readonly lines: number;
    readonly succeeded: number;
    readonly failed: number;
    readonly unreadable: number;
    readonly repeated: number;
  };
}

const MAX_LISTED = 20;

/** Reads the result once, and again where ids seem to repeat. Throws the system's errors only. */
export function verifyResult(task: VerifyTask): Verification {
  const hashesPath = join(task.scratchFolder, 'verify-hashes.tmp');
  const ids = new RepeatedIds(hashesPath);
  try {
    const reading = new ResultReading(ids);
    reading.read(task.resultPath);
    return reading.judge(task);
  } finally {
    ids.close();
    rmSync(hashesPath, { force: true });
  }
}

class ResultReading {
  readonly #hash = createHash('sha256');
  readonly #digest = new IdsDigest();
  readonly #ids: RepeatedIds;
  readonly #problems: string[] = [];
  #sizeBytes = 0;
  #lines = 0;
  #succeeded = 0;
  #failed = 0;
  #unreadable = 0;

  constructor(ids: RepeatedIds) {
    this.#ids = ids;
  }

  read(path: string): void {
    const lines = new ResultLines(path, (bytes) => {
      this.#hash.update(bytes);
      this.#sizeBytes += bytes.length;
    });
    try {
      while (lines.next()) this.#take(lines);
      this.#problems.push(...lines.problems);
      this.#lines = lines.line;
    } finally {
      lines.close();
    }
  }

  judge(task: VerifyTask): Verification {
    const { expect } = task;
    const problems = this.#problems;
    const repeated = this.#ids.find(task.resultPath, (line, firstLine) => {
      problems.push(`Line ${line} has the custom_id of line ${firstLine}.`);
    });
    const compare = (what: string, found: number | string, expected: number | string): void => {
      if (found !== expected) problems.push(`${what} ${found} instead of ${expected}.`);
    };
    compare('The number of lines is', this.#lines, expect.lines);
    compare('The number of succeeded lines is', this.#succeeded, expect.succeeded);
    compare('The number of failed lines is', this.#failed, expect.failed + expect.rejected);
    compare('The size in bytes is', this.#sizeBytes, expect.sizeBytes);
    compare('The sha256 is', this.#hash.digest('hex'), expect.sha256);
    compare('The digest of the ids in their order is', this.#digest.hex(), expect.idsDigest);
    const counts = {
      lines: this.#lines,
      succeeded: this.#succeeded,
      failed: this.#failed,
      unreadable: this.#unreadable,
      repeated,
    };
    return { ok: problems.length === 0, problems, counts };
  }

  #take(lines: ResultLines): void {
    if (!lines.isReadable) {
      this.#unreadable += 1;
      if (this.#unreadable > MAX_LISTED) return;
      this.#problems.push(`Line ${lines.line} is not an answer line.`);
      return;
    }
    if (lines.isSuccess) this.#succeeded += 1;
    else this.#failed += 1;
    const { id } = lines;
    if (id === null) {
      this.#digest.addMissing();
      return;
    }
    this.#digest.add(id.bytes, id.start, id.end);
    if (!lines.mayRepeat) this.#ids.add(id.bytes, id.start, id.end);
  }
}
