/** Shows one job of a service again and again; says each alert and each pause once. */

import type { JobBody } from '../../http/contract/job-shapes.ts';
import type { ProgressEventBody } from '../../http/contract/results.ts';
import { reportProgress } from '../progress.ts';
import { ProgressShow } from '../progress-show.ts';
import type { Terminal } from '../terminal.ts';

export class JobShow {
  readonly #terminal: Terminal;
  readonly #progress: ProgressShow;
  readonly #told = new Set<string>();
  #pause = '';

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#progress = new ProgressShow(terminal);
  }

  /** To be called whenever there may be news. */
  show({ id, status, counts, chunks, alerts, paused }: JobBody): void {
    for (const { code, message, chunk, at } of alerts) {
      const key = `${code} ${chunk ?? ''} ${at}`;
      if (this.#told.has(key)) continue;
      this.#told.add(key);
      this.#say(`${code}: ${message}`);
    }
    const pause = paused?.message ?? '';
    if (pause !== '' && pause !== this.#pause) {
      this.#say(`paused: ${pause}`);
      this.#terminal.event('paused', { job: id, ...paused });
    }
    this.#pause = pause;
    this.progress({ status, counts, chunks });
  }

  /** The same where only the numbers are new. */
  progress({ counts, chunks }: ProgressEventBody): void {
    if (counts.total === 0) return;
    this.#progress.show(reportProgress(counts, chunks.by_phase, chunks.waiting_for));
  }

  #say(text: string): void {
    this.#terminal.warn(`${this.#terminal.style('red', '▲')} ${text}`);
  }
}
