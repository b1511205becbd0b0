/** Plans a text in a folder of its own and reads back what was written. */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobId } from '../../../../src/domain/ids.ts';
import { LineIndex } from '../../../../src/jsonl/line-index.ts';
import { planRequestSet } from '../../../../src/stages/plan/plan.ts';
import type { PlanOutcome, PlanTask } from '../../../../src/stages/plan/plan.ts';

export const JOB = `job_${'0'.repeat(26)}` as JobId;

export const LIMITS = {
  maxRequests: 1000,
  maxBytes: 1_000_000,
  maxInputs: 1000,
  maxLineBytes: 100_000,
};

/** One line as the chunk's files tell it. */
export interface WrittenLine {
  readonly chunk: string;
  readonly line: number;
  readonly isRejected: boolean;
  /** Null where the record has none. */
  readonly id: string | null;
  /** The line that is sent, or the error line that answers it. */
  readonly text: string;
}

export class PlanFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'batchwright-plan-'));
  readonly output = join(this.path, 'out');
  readonly source = join(this.path, 'in.jsonl');

  async plan(input: string | Buffer, options: Partial<PlanTask> = {}): Promise<PlanOutcome> {
    rmSync(this.output, { recursive: true, force: true });
    mkdirSync(this.output);
    writeFileSync(this.source, input);
    return planRequestSet({
      sourcePath: this.source,
      encoding: 'identity',
      outputFolder: this.output,
      job: JOB,
      defaults: { endpoint: null, model: null },
      limits: LIMITS,
      onInvalid: 'skip',
      write: true,
      maxReported: 100,
      ...options,
    });
  }

  /** All lines of the chunk, in the order of its index. */
  lines(chunk: string): WrittenLine[] {
    const read = (name: string) => {
      const path = join(this.output, chunk, name);
      return existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
    };
    const index = new LineIndex(read('lines.idx'), read('ids.bin'));
    const requests = read('requests.jsonl');
    const rejected = read('rejected.jsonl');
    return Array.from({ length: index.count }, (_, n) => {
      const isRejected = index.isRejected(n);
      const start = index.offset(n);
      const file = isRejected ? rejected : requests;
      return {
        chunk,
        line: index.line(n),
        isRejected,
        id: index.hasId(n) ? index.idBytes(n).toString() : null,
        text: file.toString('utf8', start, start + index.length(n)),
      };
    });
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }
}
