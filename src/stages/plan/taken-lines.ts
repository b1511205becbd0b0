/** Reads the lines of taken files: all that is asked is that answers can be told to be theirs. */

import { isUtf8 } from 'node:buffer';
import type { PlanCounts } from '../../domain/plan.ts';
import { isEndpoint } from '../../domain/request.ts';
import type { Endpoint, RejectedLine, Rejection } from '../../domain/request.ts';
import { IdsDigest } from '../../jsonl/ids-digest.ts';
import { NEWLINE, QUOTE } from '../../jsonl/json-walker.ts';
import { decodeId } from '../../jsonl/line-index.ts';
import type { LineSink } from '../../jsonl/line-splitter.ts';
import { CUSTOM_ID, RequestScanner, URL_FIELD } from '../../jsonl/request-scanner.ts';
import type { DraftChunk } from './chunk.ts';
import { DuplicateIds } from './duplicate-ids.ts';
import type { IdPlace } from './ids-log.ts';
import { blankPlace, LineWriter } from './line-writer.ts';
import { lineTooLong, unknownUrl } from './reasons.ts';
import { Rejections } from './rejections.ts';
import type { TakenTask } from './taken-files.ts';
import { RequestValidator } from './validate.ts';

const UNREADABLE: Rejection = {
  code: 'invalid_json',
  message: 'the line is not a JSON object that can be read',
};

const NO_ID: Rejection = {
  code: 'invalid_custom_id',
  message: 'custom_id is missing, doubled, empty or no string: no answer could be told to be its',
};

const NO_LINES: Rejection = { code: 'not_an_object', message: 'the file holds no request' };

export class TakenLines implements LineSink {
  readonly digest = new IdsDigest();
  /** The number that the next line gets over all files. */
  nextLine = 1;
  readonly #task: TakenTask;
  readonly #scan = new RequestScanner();
  readonly #validator: RequestValidator;
  readonly #duplicates: DuplicateIds;
  readonly #rejections: Rejections;
  readonly #writer = new LineWriter();
  readonly #models = new Set<string>();
  readonly #begun: { file: number; firstLine: number }[] = [];
  readonly #place: IdPlace = { line: 0, chunk: 0, record: 0, sizeBytes: 0, inputs: 0 };
  readonly #placed = blankPlace();
  #chunk: DraftChunk | null = null;
  /** Whether the file holds anything but blank lines. */
  #hasLines = false;
  #endpoint: Endpoint | null = null;
  #blank = 0;
  #requests = 0;

  constructor(task: TakenTask) {
    this.#task = task;
    const nothing = { endpoint: null, model: null };
    this.#validator = new RequestValidator(this.#scan, task.job, nothing, task.limits);
    this.#duplicates = new DuplicateIds(task.outputFolder);
    this.#rejections = new Rejections(task.maxReported);
  }

  /** What follows are the lines of this file, for this chunk. */
  begin(file: number, chunk: DraftChunk): void {
    this.#begun.push({ file, firstLine: this.nextLine });
    this.#chunk = chunk;
    this.#hasLines = false;
  }

  /** The file is over. */
  end(): void {
    this.#writer.flush();
    if (this.#hasLines) return;
    // A number of its own, so that the file can be told from the next one.
    this.#reject(this.nextLine, NO_LINES);
    this.nextLine += 1;
  }

  lines(buffer: Buffer, start: number, end: number): void {
    this.#scan.attach(buffer);
    this.#placed.buffer = buffer;
    let at = start;
    while (at < end) at = this.#line(buffer, at);
    this.#writer.flush();
  }

  tooLong(): void {
    const { maxLineBytes } = this.#task.limits;
    this.#hasLines = true;
    this.#reject(this.nextLine, lineTooLong(maxLineBytes));
    this.nextLine += 1;
  }

  /** To be called when all files are over. */
  rejectRepeated(): void {
    this.#duplicates.find((place, firstLine) => {
      const { name, line } = this.#spot(firstLine);
      const message = `line ${line} of ${name} has the same custom_id, but asks for something else`;
      this.#reject(place.line, { code: 'duplicate_custom_id', message });
    });
  }

  close(): void {
    this.#duplicates.close();
  }

  get rejectedTotal(): number {
    return this.#rejections.total;
  }

  /** The first of them, each with its number within its file. */
  rejected(): RejectedLine[] {
    return this.#rejections.first().map((rejected) => {
      const { name, line } = this.#spot(rejected.line);
      return { ...rejected, line, message: `in ${name}: ${rejected.message}` };
    });
  }

  /** The one that all lines share. */
  get endpoint(): Endpoint {
    return this.#endpoint ?? '/v1/chat/completions';
  }

  /** In the order of their first request. */
  models(): string[] {
    return [...this.#models];
  }

  counts(): PlanCounts {
    const [lines, blank, requests] = [this.nextLine - 1, this.#blank, this.#requests];
    return { lines, blank, requests, rejected: 0, insertedIds: 0 };
  }

  /** Takes the line at `start`; returns where the next one begins. */
  #line(buffer: Buffer, start: number): number {
    const line = this.nextLine;
    this.nextLine += 1;
    const first = this.#scan.skipSpace(start);
    if (buffer[first] === NEWLINE) {
      this.#blank += 1;
      return first + 1;
    }
    this.#hasLines = true;
    const end = buffer.indexOf(NEWLINE, first) + 1;
    const rejection = this.#problemIn(buffer, start, first, end);
    if (rejection !== null) this.#reject(line, rejection);
    else this.#accept(line, start, end);
    return end;
  }

  /** `first` is where the line's value begins, `end` is after its newline. */
  #problemIn(buffer: Buffer, start: number, first: number, end: number): Rejection | null {
    const { maxLineBytes } = this.#task.limits;
    if (end - 1 - start > maxLineBytes) return lineTooLong(maxLineBytes);
    const isRead = isUtf8(buffer.subarray(start, end)) && this.#scan.scan(first) === end - 1;
    return isRead && this.#scan.isObject ? this.#problem() : UNREADABLE;
  }

  #problem(): Rejection | null {
    if (!this.#validator.hasId()) return NO_ID;
    const isText = this.#scan.first[URL_FIELD] === QUOTE;
    const url = isText ? this.#scan.text(URL_FIELD) : '';
    if (!isEndpoint(url)) return unknownUrl(url);
    this.#endpoint ??= url;
    if (url === this.#endpoint) return null;
    const message = `url ${url} differs from ${this.#endpoint}; adopt each endpoint by itself`;
    return { code: 'mixed_url', message };
  }

  #accept(line: number, start: number, end: number): void {
    const [chunk, placed] = [this.#chunk as DraftChunk, this.#placed];
    const model = this.#validator.model();
    if (model !== null) this.#models.add(model);
    this.#requests += 1;
    chunk.model ??= model;
    chunk.requests += 1;
    chunk.sizeBytes += end - start;
    chunk.inputs += this.#endpoint === '/v1/embeddings' ? this.#scan.inputs : 0;
    chunk.lastLine = line;
    if (chunk.requests === 1) chunk.firstLine = line;
    placed.start = start;
    placed.end = end;
    placed.line = line;
    placed.idBytes = placed.buffer;
    placed.idStart = (this.#scan.starts[CUSTOM_ID] as number) + 1;
    placed.idEnd = (this.#scan.ends[CUSTOM_ID] as number) - 1;
    placed.idEscaped = this.#scan.escapes[CUSTOM_ID] === 1;
    this.#addId(line, chunk);
    this.#writer.request(chunk, placed, end - start);
  }

  #addId(line: number, chunk: DraftChunk): void {
    const { idBytes, idStart, idEnd, idEscaped } = this.#placed;
    this.#place.line = line;
    this.#place.chunk = chunk.index;
    this.#place.record = chunk.requests - 1;
    const decoded = idEscaped ? decodeId(idBytes.subarray(idStart, idEnd)) : idBytes;
    const [start, end] = idEscaped ? [0, decoded.length] : [idStart, idEnd];
    this.digest.add(decoded, start, end);
    this.#duplicates.add(decoded, start, end, this.#place);
  }

  #reject(line: number, rejection: Rejection): void {
    this.#rejections.add(line, rejection);
  }

  /** Where the line with this number over all files stands. */
  #spot(number: number): { name: string; line: number } {
    const begun = this.#begun.findLast(({ firstLine }) => firstLine <= number);
    const name = this.#task.files[begun?.file ?? 0]?.name ?? '';
    return { name, line: number - (begun?.firstLine ?? 1) + 1 };
  }
}
