/**
 * The engines as a naive reference over files in memory: for simulations of the orchestration.
 * The request lines hold `custom_id`, `model` and, where the planner shall reject them, `reject`.
 * The real engines have tests of their own.
 */

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { classifyAnswer } from '../../../src/domain/answer.ts';
import type { AnswerFacts } from '../../../src/domain/answer.ts';
import { invariant } from '../../../src/domain/errors.ts';
import type { ThreadPool } from '../../../src/ports/thread-pool.ts';
import type { AnswersReport } from '../../../src/stages/answers/check.ts';
import type { Assessment, ChunkAnswers } from '../../../src/stages/answers/assess.ts';
import type { JoinPart } from '../../../src/stages/answers/part-cursor.ts';
import type { Engines } from '../../../src/stages/engines.ts';
import type { MemoryFiles } from './local-files.ts';
import type { IndexedLine, Outcome } from './outcomes.ts';
import { foldOutcomes } from './outcomes.ts';
import { planInMemory } from './plan.ts';
import { planTakenInMemory } from './taken-plan.ts';

type Input<Name extends keyof Engines> = Parameters<Engines[Name]>[0];
type Output<Name extends keyof Engines> = Awaited<ReturnType<Engines[Name]>>;

/** A pool that computes at once, on the caller's loop. */
export function createReferenceEngines(files: MemoryFiles): ThreadPool<Engines> {
  const tasks: { [Name in keyof Engines]?: (input: Input<Name>) => Output<Name> } = {
    planRequestSet: (input) => planInMemory(input, files),
    planTakenFiles: (input) => planTakenInMemory(input, files),
    hashRanges: ({ path, ranges }) =>
      sha256(Buffer.concat(ranges.map(({ start, end }) => files.read(path).subarray(start, end)))),
    checkAnswers: (input) => checkAnswers(input, files),
    assessChunk: (input) => assessChunk(input, files),
    settleChunk: (input) => settleChunk(input, files),
    writeResult: (input) => writeResult(input, files),
    hashResult: (input) => hashResult(input, files),
  };
  return {
    run: async (task, input) => {
      const work = tasks[task] as ((input: unknown) => never) | undefined;
      invariant(work !== undefined, `${task} is done in memory`);
      return work(input);
    },
    close: async () => {},
  };
}

/** What an answer line says; null where it cannot be read. */
export function readAnswer(line: string): { id: string; facts: AnswerFacts } | null {
  try {
    const { custom_id: id, response, error } = JSON.parse(line) as Record<string, never>;
    if (typeof id !== 'string') return null;
    const { status_code: statusCode = null, body = null } = (response ?? {}) as Record<
      string,
      never
    >;
    const codeIn = (value: unknown) => (value as { code?: string } | null)?.code ?? null;
    const bodyErrorCode = body && codeIn((body as { error?: unknown }).error);
    return {
      id,
      facts: { statusCode, errorCode: codeIn(error), bodyErrorCode, hasBody: body !== null },
    };
  } catch {
    return null;
  }
}

function linesOf(bytes: Buffer): string[] {
  return bytes.toString().split('\n').filter(Boolean);
}

function checkAnswers(input: Input<'checkAnswers'>, files: MemoryFiles): AnswersReport {
  const counts = { success: 0, final: 0, again: 0, quota: 0 };
  let unparsable = 0;
  let cut = false;
  for (const path of [input.outputPath, input.errorPath]) {
    const bytes = path === null ? Buffer.alloc(0) : files.read(path);
    cut ||= bytes.length > 0 && bytes.at(-1) !== 0x0a;
    for (const line of linesOf(bytes)) {
      const answer = readAnswer(line);
      if (answer === null) unparsable += 1;
      else counts[classifyAnswer(answer.facts).kind] += 1;
    }
  }
  files.write(input.indexPath, Buffer.alloc(0));
  const lines = counts.success + counts.final + counts.again + counts.quota;
  const hasQuota = counts.quota > 0;
  return { lines, counts, hasQuota, byClass: {}, usage: {}, unparsable, unparsableAt: [], cut };
}

function fold(input: ChunkAnswers, files: MemoryFiles) {
  const index = JSON.parse(files.read(input.linesPath).toString()) as IndexedLine[];
  const read = (path: string | null) => (path === null ? [] : linesOf(files.read(path)));
  const attempts = input.attempts.map((attempt) =>
    attempt.kind === 'invalid'
      ? attempt
      : { kind: attempt.kind, lines: [...read(attempt.outputPath), ...read(attempt.errorPath)] },
  );
  return foldOutcomes(index, attempts, readAnswer);
}

function assessChunk(input: ChunkAnswers, files: MemoryFiles): Assessment {
  const { outcomes, strangers, unparsable, duplicates } = fold(input, files);
  const sent = outcomes.filter(({ line }) => !line.rejected);
  const pending = sent.filter(({ kind }) => kind === 'none' || kind === 'again');
  const count = (kind: Outcome['kind']) => sent.filter((one) => one.kind === kind).length;
  return {
    counts: {
      requests: sent.length,
      succeeded: count('success'),
      failed: count('final'),
      pending: pending.length,
    },
    byClass: {},
    pendingRanges: pending.map(({ line }) => ({ start: line.start, end: line.end })),
    pendingBytes: 0,
    quota: pending.some(({ quota }) => quota),
    invalid: null,
    strangers,
    unparsable,
    duplicates,
    conflicts: 0,
    usage: {},
  };
}

function settleChunk(input: Input<'settleChunk'>, files: MemoryFiles): Output<'settleChunk'> {
  const { outcomes, strangers, unparsable, duplicates } = fold(input, files);
  const lines = outcomes.map(({ line, answer, refusal }) => {
    if (line.rejected) return ownLine(line, 'rejected');
    if (answer !== null) return answer;
    invariant(refusal !== null || input.close !== null, `line ${line.line} is pending`);
    return ownLine(line, refusal ?? input.close?.code ?? '');
  });
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  files.write(input.partPath, bytes);
  if (strangers + unparsable > 0) files.write(input.quarantinePath, Buffer.from('kept\n'));
  const rejected = outcomes.filter(({ line }) => line.rejected).length;
  const succeeded = outcomes.filter(({ kind }) => kind === 'success').length;
  return {
    lines: lines.length,
    succeeded,
    failed: lines.length - succeeded - rejected,
    rejected,
    sizeBytes: bytes.length,
    crc32: crcOf(bytes),
    byClass: {},
    usage: {},
    strangers,
    unparsable,
    duplicates,
    conflicts: 0,
  };
}

/** The answers of all parts in input order, each with its newline. */
function joined(parts: readonly JoinPart[], files: MemoryFiles): Buffer {
  const all: { line: number; answer: string }[] = [];
  for (const part of parts) {
    const bytes = files.read(part.partPath);
    invariant(crcOf(bytes) === part.crc32, `${part.partPath} is the part that was recorded`);
    const index = JSON.parse(files.read(part.linesPath).toString()) as IndexedLine[];
    const answers = linesOf(bytes);
    invariant(answers.length === index.length, 'as many answers as lines');
    for (const [at, { line }] of index.entries()) all.push({ line, answer: answers[at] ?? '' });
  }
  all.sort((a, b) => a.line - b.line);
  return Buffer.from(all.map(({ answer }) => `${answer}\n`).join(''));
}

function writeResult(input: Input<'writeResult'>, files: MemoryFiles): Output<'writeResult'> {
  const bytes = joined(input.parts, files);
  files.write(input.resultPath, bytes);
  const lines = linesOf(bytes);
  const ids = lines.map((answer) => readAnswer(answer)?.id ?? '-');
  const idsDigest = sha256(Buffer.from(ids.join(',')));
  return { sizeBytes: bytes.length, lines: lines.length, idsDigest };
}

function hashResult(input: Input<'hashResult'>, files: MemoryFiles): Output<'hashResult'> {
  const bytes = joined(input.parts, files);
  return { sizeBytes: bytes.length, lines: linesOf(bytes).length, sha256: sha256(bytes) };
}

function ownLine(line: IndexedLine, code: string): string {
  return JSON.stringify({ custom_id: line.id, response: null, error: { code, line: line.line } });
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function crcOf(bytes: Buffer): string {
  return crc32(bytes).toString(16).padStart(8, '0');
}
