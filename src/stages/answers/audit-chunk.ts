/**
 * Audits a settled chunk from its bytes: the index against the requests, the answers' index
 * against the answers, and the part and the quarantine, made once more.
 */

import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Close, PartRecord } from '../../domain/chunk.ts';
import type { PlannedChunk } from '../../domain/plan.ts';
import { LineIndex, RECORD_BYTES } from '../../jsonl/line-index.ts';
import { checkAnswers } from './check.ts';
import type { AttemptAnswers, ChunkAnswers } from './chunk-answers.ts';
import { hashRanges } from './hash-ranges.ts';
import { settleChunk } from './settle.ts';

export interface ChunkAuditTask extends ChunkAnswers {
  readonly chunk: PlannedChunk;
  /** Null: no line of the chunk was rejected. */
  readonly rejectedPath: string | null;
  readonly close: Close | null;
  /** The stored quarantine; null: there is none. */
  readonly quarantinePath: string | null;
  /** Of everything that was sent first, as the journal has it; null where it does not say. */
  readonly sentSha256: string | null;
  /** For what is made; the part stays in it as `partPath`, under the chunk's own name. */
  readonly folder: string;
}

export interface ChunkAudit {
  readonly problems: readonly AuditProblem[];
  /** As it comes out now; null where the files do not even make one. */
  readonly part: PartRecord | null;
  readonly partPath: string;
}

export interface AuditProblem {
  /** The place of the attempt in the list whose files they are; null: the chunk's own. */
  readonly attempt: number | null;
  /** Of these one at least is wrong; the bytes do not always tell which. */
  readonly files: readonly string[];
  readonly what: string;
}

/** Never throws for what the files hold. */
export function auditChunk(task: ChunkAuditTask): ChunkAudit {
  const partPath = join(task.folder, `${task.chunk.id}.jsonl`);
  const problems: AuditProblem[] = [];
  const tellOf =
    (attempt: number | null): Tell =>
    (files, what) =>
      void problems.push({ attempt, files, what });
  const tell = tellOf(null);
  guard(() => checkIndex(task, tell), INDEXED, tell);
  for (const [place, attempt] of task.attempts.entries()) {
    guard(() => checkAttempt(task, attempt, tellOf(place)), ANSWERS, tellOf(place));
  }
  let part: PartRecord | null = null;
  const settle = (): void => {
    const quarantinePath = join(task.folder, 'quarantine.jsonl');
    part = settleChunk({ ...task, partPath, quarantinePath });
    checkQuarantine(task.quarantinePath, quarantinePath, tell);
  };
  guard(settle, INDEXED, tell);
  return { problems, part, partPath };
}

/** What the index of a chunk is about, and what the index of answers is about. */
const INDEXED = ['lines.idx', 'ids.bin', 'requests.jsonl'];
const ANSWERS = ['answers.idx', 'output.jsonl', 'errors.jsonl'];

type Tell = (files: readonly string[], what: string) => void;

function guard(check: () => void, files: readonly string[], tell: Tell): void {
  try {
    check();
  } catch (error) {
    tell(files, error instanceof Error ? error.message : String(error));
  }
}

function checkIndex(task: ChunkAuditTask, tell: Tell): void {
  const { chunk } = task;
  const records = readFileSync(task.linesPath);
  const ids = readFileSync(task.idsPath);
  const index = new LineIndex(records, ids);
  const wanted = chunk.requests + chunk.rejected;
  if (index.count !== wanted) {
    tell(['lines.idx'], `it has ${index.count} records instead of ${wanted}`);
    return;
  }
  const inOrder = checkRecords(index, records, chunk, tell);
  if (inOrder) checkRequests(task, index, ids.length, tell);
}

/** Lines ascend from the chunk's first to its last, and as many are rejected as the plan says. */
function checkRecords(index: LineIndex, records: Buffer, chunk: PlannedChunk, tell: Tell): boolean {
  let last = 0;
  let rejected = 0;
  for (let record = 0; record < index.count; record += 1) {
    const isZero = records.readUInt8(record * RECORD_BYTES + 7) === 0;
    if (index.line(record) <= last || !isZero) {
      tell(['lines.idx'], `record ${record} is not what the planner writes`);
      return false;
    }
    last = index.line(record);
    if (index.isRejected(record)) rejected += 1;
  }
  const first = index.count > 0 ? index.line(0) : chunk.firstLine;
  const fits = first === chunk.firstLine && last === chunk.lastLine && rejected === chunk.rejected;
  if (!fits) tell(['lines.idx'], 'its lines are not those of the plan');
  return fits;
}

function checkRequests(task: ChunkAuditTask, index: LineIndex, idsBytes: number, tell: Tell): void {
  const ranges: { start: number; end: number }[] = [];
  let sizeBytes = 0;
  let rejectedBytes = 0;
  for (let record = 0; record < index.count; record += 1) {
    if (index.isRejected(record)) {
      rejectedBytes += index.length(record);
      continue;
    }
    const start = index.offset(record);
    ranges.push({ start, end: start + index.length(record) });
    sizeBytes += index.length(record);
  }
  // A line that was rejected late stays among the requests, where nothing points to it any more.
  const storedBytes = statSync(task.requestsPath).size;
  if (task.chunk.rejected === 0 && storedBytes !== sizeBytes) {
    tell(INDEXED, `there are ${storedBytes} bytes of requests instead of ${sizeBytes}`);
  }
  if (task.rejectedPath !== null && statSync(task.rejectedPath).size !== rejectedBytes) {
    tell(['rejected.jsonl', 'lines.idx'], 'they do not hold the same rejected lines');
  }
  if (sizeBytes !== task.chunk.sizeBytes) {
    tell(['lines.idx'], `what it sends has ${sizeBytes} bytes instead of ${task.chunk.sizeBytes}`);
  }
  const isSent = task.sentSha256 !== null && ranges.length > 0;
  if (isSent && hashRanges({ path: task.requestsPath, ranges }) !== task.sentSha256) {
    tell(['requests.jsonl', 'lines.idx'], 'they do not give what was sent, by its sha256');
  }
  checkIds(task.requestsPath, index, idsBytes, tell);
}

/** Each request has the id that stands beside the index, and there are no more ids. */
function checkIds(requestsPath: string, index: LineIndex, idsBytes: number, tell: Tell): void {
  const fd = openSync(requestsPath, 'r');
  let indexedBytes = 0;
  try {
    for (let record = 0; record < index.count; record += 1) {
      indexedBytes += index.rawId(record).length;
      if (index.isRejected(record)) continue;
      const bytes = Buffer.alloc(index.length(record));
      readSync(fd, bytes, 0, bytes.length, index.offset(record));
      if (idIn(bytes) === index.idBytes(record).toString()) continue;
      tell(INDEXED, `the id of line ${index.line(record)} is not its request's`);
      return;
    }
  } finally {
    closeSync(fd);
  }
  if (indexedBytes !== idsBytes) tell(INDEXED, `${idsBytes} bytes of ids for ${indexedBytes}`);
}

function idIn(bytes: Buffer): string | null {
  try {
    return (JSON.parse(bytes.toString()) as { custom_id: string }).custom_id;
  } catch {
    return null;
  }
}

function checkAttempt(task: ChunkAuditTask, attempt: AttemptAnswers, tell: Tell): void {
  if (attempt.kind !== 'answers') return;
  const indexPath = join(task.folder, 'answers.idx');
  checkAnswers({ outputPath: attempt.outputPath, errorPath: attempt.errorPath, indexPath });
  if (readFileSync(indexPath).equals(readFileSync(attempt.indexPath))) return;
  tell(ANSWERS, 'the index does not fit the answers');
}

function checkQuarantine(stored: string | null, madePath: string, tell: Tell): void {
  const made = existsSync(madePath) ? readFileSync(madePath) : null;
  const isSame = stored === null ? made === null : made?.equals(readFileSync(stored)) === true;
  if (!isSame) tell(['quarantine.jsonl'], 'it is not what the answers leave over');
}
