/** The planner's one pass over the input: each line is checked, packed, written and counted. */

import { isUtf8 } from 'node:buffer';
import type { PlanCounts } from '../../domain/plan.ts';
import type { Rejection } from '../../domain/request.ts';
import { IdsDigest } from '../../jsonl/ids-digest.ts';
import { NEWLINE } from '../../jsonl/json-walker.ts';
import { decodeId } from '../../jsonl/line-index.ts';
import type { LineSink } from '../../jsonl/line-splitter.ts';
import { BODY, CUSTOM_ID, RequestScanner } from '../../jsonl/request-scanner.ts';
import { ChunkPacker } from './chunk.ts';
import type { DraftChunk, PackerEvents } from './chunk.ts';
import { DuplicateIds } from './duplicate-ids.ts';
import type { IdPlace } from './ids-log.ts';
import { blankPlace, LineWriter } from './line-writer.ts';
import type { PlanTask } from './plan.ts';
import * as reasons from './reasons.ts';
import { Rejections } from './rejections.ts';
import { RequestValidator } from './validate.ts';

/** Keeps a chunk's ids.bin below what a record's offset can say. */
const MAX_REJECTED_ID_BYTES = 4096;
const NO_BYTES = Buffer.alloc(0);

export class PlanningPass implements LineSink {
  readonly packer: ChunkPacker;
  readonly validator: RequestValidator;
  readonly digest = new IdsDigest();
  readonly duplicates: DuplicateIds;
  readonly rejections: Rejections;
  readonly counts: { -readonly [Name in keyof PlanCounts]: number } = {
    lines: 0,
    blank: 0,
    requests: 0,
    rejected: 0,
    insertedIds: 0,
  };
  /** True once nothing can be planned any more: lines are then only checked. */
  refused = false;
  readonly #task: PlanTask;
  readonly #scan: RequestScanner;
  readonly #writer = new LineWriter();
  readonly #refuse: () => void;
  readonly #placed = blankPlace();
  readonly #place: IdPlace = { line: 0, chunk: 0, record: 0, sizeBytes: 0, inputs: 0 };

  /** `refuse` is called once, at the first rejected line of a task that fails on it. */
  constructor(task: PlanTask, events: PackerEvents, refuse: () => void) {
    this.#task = task;
    this.#refuse = refuse;
    this.#scan = new RequestScanner(task.defaults.isStrict);
    this.validator = new RequestValidator(this.#scan, task.job, task.defaults, task.limits);
    this.duplicates = new DuplicateIds(task.outputFolder);
    this.rejections = new Rejections(task.maxReported);
    this.packer = new ChunkPacker(task.limits, {
      opened: (chunk) => events.opened(chunk),
      closed: (chunk) => {
        this.#writer.flush();
        events.closed(chunk);
      },
    });
  }

  lines(buffer: Buffer, start: number, end: number): void {
    this.#scan.attach(buffer);
    this.#placed.buffer = buffer;
    const isValid = isUtf8(buffer.subarray(start, end));
    let at = start;
    while (at < end) at = this.#line(buffer, at, isValid);
    this.#writer.flush();
  }

  tooLong(): void {
    this.#begin(0);
    this.#reject(reasons.lineTooLong(this.#task.limits.maxLineBytes), false);
  }

  /** Checks the line at `start`; returns where the next one begins. */
  #line(buffer: Buffer, start: number, isValid: boolean): number {
    this.#begin(start);
    const first = this.#scan.skipSpace(start);
    if (buffer[first] === NEWLINE) {
      this.counts.blank += 1;
      return first + 1;
    }
    if (!isValid) {
      const end = buffer.indexOf(NEWLINE, first);
      if (!isUtf8(buffer.subarray(first, end))) return this.#refuseText(reasons.INVALID_UTF8, end);
    }
    const newline = this.#scan.scan(first);
    if (newline < 0) return this.#refuseWalk(buffer, start);
    this.#placed.end = newline + 1;
    const { maxLineBytes } = this.#task.limits;
    const rejection =
      newline - start > maxLineBytes
        ? reasons.lineTooLong(maxLineBytes)
        : this.validator.check(this.#placed.line, newline + 1 - start);
    if (rejection === null) this.#accept();
    else this.#reject(rejection, rejection.code !== 'line_too_long');
    return newline + 1;
  }

  #begin(start: number): void {
    this.counts.lines += 1;
    this.#placed.line = this.counts.lines;
    this.#placed.start = start;
  }

  #refuseWalk(buffer: Buffer, start: number): number {
    const { failure, failedAt } = this.#scan;
    const newline = buffer.indexOf(NEWLINE, failedAt);
    const rejection =
      failure === 'nested_too_deep'
        ? reasons.NESTED_TOO_DEEP
        : reasons.invalidJson(failedAt - start + 1);
    return this.#refuseText(rejection, newline);
  }

  /** Rejects a line of which nothing could be read; returns where the next one begins. */
  #refuseText(rejection: Rejection, newline: number): number {
    const { maxLineBytes } = this.#task.limits;
    const isTooLong = newline - this.#placed.start > maxLineBytes;
    this.#reject(isTooLong ? reasons.lineTooLong(maxLineBytes) : rejection, false);
    return newline + 1;
  }

  #accept(): void {
    const placed = this.#placed;
    const { splice, sizeBytes, inputs } = this.validator;
    const model = this.validator.model() as string;
    this.counts.requests += 1;
    if (splice.idEnd > 0) {
      this.counts.insertedIds += 1;
      this.#setId(splice.head, splice.idStart, splice.idEnd, false);
    } else this.#setScannedId();
    if (this.refused) {
      this.#addId(null);
      return;
    }
    const chunk = this.packer.addRequest(model, placed.line, sizeBytes, inputs);
    this.#addId(chunk);
    if (splice.length === 0) this.#writer.request(chunk, placed, sizeBytes);
    else {
      const bodyOpen = this.#scan.starts[BODY] as number;
      this.#writer.splicedRequest(chunk, placed, splice, this.#scan.open, bodyOpen);
    }
  }

  #reject(rejection: Rejection, isRead: boolean): void {
    const placed = this.#placed;
    this.counts.rejected += 1;
    this.rejections.add(placed.line, rejection);
    if (this.#task.onInvalid === 'fail') {
      this.#giveUp();
      return;
    }
    if (isRead && this.validator.hasId()) this.#setScannedId();
    else this.#setId(NO_BYTES, 0, 0, false);
    if (placed.idEnd - placed.idStart > MAX_REJECTED_ID_BYTES) this.#setId(NO_BYTES, 0, 0, false);
    this.#digestId();
    const chunk = this.packer.addRejected(isRead ? this.validator.model() : null, placed.line);
    this.#writer.rejected(chunk, placed, rejection);
  }

  #giveUp(): void {
    if (this.refused) return;
    this.refused = true;
    this.#writer.forget();
    this.#refuse();
  }

  /** Enters the id of a line that is sent: it claims the id, a rejected line does not. */
  #addId(chunk: DraftChunk | null): void {
    const { line, idBytes, idStart, idEnd, idEscaped } = this.#placed;
    const place = this.#place;
    place.line = line;
    if (chunk !== null) {
      place.chunk = chunk.index;
      place.record = chunk.requests + chunk.rejected - 1;
      place.sizeBytes = this.validator.sizeBytes;
      place.inputs = this.validator.inputs;
      this.#digestId();
    }
    if (idEscaped) {
      const decoded = decodeId(idBytes.subarray(idStart, idEnd));
      this.duplicates.add(decoded, 0, decoded.length, place);
    } else this.duplicates.add(idBytes, idStart, idEnd, place);
  }

  #digestId(): void {
    const { idBytes, idStart, idEnd, idEscaped } = this.#placed;
    if (idStart === idEnd) this.digest.addMissing();
    else if (idEscaped) {
      const decoded = decodeId(idBytes.subarray(idStart, idEnd));
      this.digest.add(decoded, 0, decoded.length);
    } else this.digest.add(idBytes, idStart, idEnd);
  }

  #setScannedId(): void {
    const start = (this.#scan.starts[CUSTOM_ID] as number) + 1;
    const end = (this.#scan.ends[CUSTOM_ID] as number) - 1;
    this.#setId(this.#placed.buffer, start, end, this.#scan.escapes[CUSTOM_ID] === 1);
  }

  #setId(bytes: Buffer, start: number, end: number, isEscaped: boolean): void {
    const placed = this.#placed;
    placed.idBytes = bytes;
    placed.idStart = start;
    placed.idEnd = end;
    placed.idEscaped = isEscaped;
  }
}
