/** A job's progress for people: one bar over lines, the phases of its chunks, why it waits. */

import type { ChunkProgress } from '../ports/live-board.ts';
import { sumChunks } from '../service/live-progress.ts';
import { grouped } from './terminal.ts';

export interface ProgressSums {
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  /** Chunks by phase. */
  readonly phases: ReadonlyMap<string, number>;
  /** Reasons for waiting with their chunks, most frequent first. */
  readonly reasons: readonly (readonly [string, number])[];
}

/** Adds up the chunks; `lines` is what the plan says, chunks without news included. */
export function sumProgress(chunks: Iterable<ChunkProgress>, lines: number): ProgressSums {
  const { done, failed, phases, reasons } = sumChunks(chunks);
  const byPhase = new Map(Object.entries(phases));
  const byReason = new Map(Object.entries(reasons));
  return { total: lines, done, failed, phases: byPhase, reasons: frequent(byReason) };
}

/** The same of a job's report; `counts` as the service and the reports have them. */
export function reportProgress(
  counts: Readonly<Record<'total' | 'failed' | 'rejected' | 'pending', number>>,
  phases: Readonly<Record<string, number>>,
  reasons: Readonly<Record<string, number>>,
): ProgressSums {
  const { total, failed, rejected, pending } = counts;
  return {
    total,
    done: total - pending,
    failed: failed + rejected,
    phases: new Map(Object.entries(phases)),
    reasons: frequent(new Map(Object.entries(reasons))),
  };
}

function frequent(reasons: ReadonlyMap<string, number>): [string, number][] {
  return [...reasons].toSorted((a, b) => b[1] - a[1]);
}

const BAR_COLUMNS = 24;

/** Where there are fewer columns than this, the numbers need the bar's room. */
const WIDE_COLUMNS = 100;

/** A chunk's way, backwards: what is done stands first, and nothing changes places. */
const JOURNEY = [
  'settled',
  'settling',
  'ended',
  'finalizing',
  'in_progress',
  'validating',
  'submitted',
  'submitting',
  'uploaded',
  'waiting',
];

/** The bar in one line: `━━━━╸━━━  61 %  734,112 / 1,204,331   failed 41   …`. */
export function progressLine(sums: ProgressSums, eta: string, columns: number): string {
  const width = columns < WIDE_COLUMNS ? BAR_COLUMNS / 2 : BAR_COLUMNS;
  const until = eta === '' ? '' : `   ETA ${eta}`;
  return `${bar(sums, width)}  ${counts(sums)}${until}   ${phases(sums)}`;
}

/** The same without a bar, for pipes and logs. */
export function progressText(sums: ProgressSums): string {
  return `${counts(sums)}   ${phases(sums)}`;
}

/** Estimates the time left from the speed so far. */
export class EtaGuess {
  #start: { atMs: number; done: number } | null = null;

  /** A range as clock times; '' while nothing can be said. */
  at(nowMs: number, done: number, total: number): string {
    this.#start ??= { atMs: nowMs, done };
    const elapsedMs = nowMs - this.#start.atMs;
    const progressed = done - this.#start.done;
    if (progressed <= 0 || elapsedMs < 3_000 || done >= total) return '';
    const leftMs = ((total - done) / progressed) * elapsedMs;
    // Batches come in steps, so an early guess is rough: say so with a range.
    const [early, late] = [wallTime(leftMs * 0.7), wallTime(leftMs * 1.5)];
    return early === late ? early : `${early}–${late}`;
  }
}

function counts(sums: ProgressSums): string {
  const share = sums.total === 0 ? 100 : Math.floor((sums.done / sums.total) * 100);
  const failed = sums.failed > 0 ? `   failed ${grouped(sums.failed)}` : '';
  return `${String(share).padStart(3)} %  ${grouped(sums.done)} / ${grouped(sums.total)}${failed}`;
}

function phases(sums: ProgressSums): string {
  const ordered = [...sums.phases].toSorted(([a], [b]) => JOURNEY.indexOf(a) - JOURNEY.indexOf(b));
  const parts = ordered.map(([phase, chunks]) => `${phase} ${chunks}`);
  const [reason] = sums.reasons;
  return parts.join(' · ') + (reason === undefined ? '' : `   (waiting: ${reason[0]})`);
}

function bar(sums: ProgressSums, width: number): string {
  const share = sums.total === 0 ? 1 : sums.done / sums.total;
  const full = Math.min(width, Math.floor(share * width));
  const rest = width - full;
  return '━'.repeat(full) + (rest > 0 ? `╸${'─'.repeat(rest - 1)}` : '');
}

function wallTime(inMs: number): string {
  return new Date(Date.now() + inMs).toTimeString().slice(0, 5);
}
