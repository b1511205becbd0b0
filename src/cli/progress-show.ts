/** A job's progress shown again and again: a bar for people, lines for logs, JSON for programs. */

import type { ProgressSums } from './progress.ts';
import { EtaGuess, progressLine, progressText } from './progress.ts';
import type { Terminal } from './terminal.ts';

/** Lines for logs come this often at first, and more rarely later: a tenth of the time so far. */
const TEXT_MIN_MS = 1_000;
const TEXT_MAX_MS = 60_000;

export class ProgressShow {
  readonly #terminal: Terminal;
  readonly #eta = new EtaGuess();
  readonly #startMs = performance.now();
  #dueMs = this.#startMs;
  #shown = '';

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** To be called whenever there may be news. */
  show(sums: ProgressSums): void {
    const terminal = this.#terminal;
    const nowMs = performance.now();
    const eta = this.#eta.at(nowMs, sums.done, sums.total);
    terminal.bar(progressLine(sums, eta, terminal.columns));
    const text = progressText(sums);
    if (text === this.#shown || nowMs < this.#dueMs) return;
    if (!terminal.isInteractive) terminal.say(text);
    terminal.event('progress', progressFields(sums));
    this.#shown = text;
    const pauseMs = Math.max(TEXT_MIN_MS, (nowMs - this.#startMs) / 10);
    this.#dueMs = nowMs + Math.min(TEXT_MAX_MS, pauseMs);
  }
}

function progressFields(sums: ProgressSums): Record<string, unknown> {
  const { total, done, failed, phases, reasons } = sums;
  return {
    total,
    done,
    failed,
    phases: Object.fromEntries(phases),
    waiting: Object.fromEntries(reasons),
  };
}
