/** What many seeds add up to. */

import type { SeedReport } from './simulate.ts';

const DAY_MS = 86_400_000;
const SUMS = ['virtualMs', 'events', 'requests', 'batches', 'answered', 'excused'] as const;
const TALLIES = ['strikes', 'appended', 'notices'] as const;

export class Totals {
  /** Seeds that broke a promise, in their order. */
  readonly failing: number[] = [];
  seeds = 0;
  readonly #startedMs = performance.now();
  readonly #sums = new Map<(typeof SUMS)[number], number>();
  readonly #tallies = new Map(TALLIES.map((kind) => [kind, new Map<string, number>()]));

  /** Nothing was proven where nothing was done. */
  get isIdle(): boolean {
    return this.#sum('batches') === 0 || this.#sum('answered') === 0;
  }

  /** No seed broke a promise, and they had something to break it with. */
  get areGood(): boolean {
    return this.failing.length === 0 && !this.isIdle;
  }

  add(report: SeedReport): void {
    this.seeds += 1;
    if (report.violations.length > 0) {
      this.failing.push(report.seed);
      this.failing.sort((a, b) => a - b);
    }
    for (const name of SUMS) this.#sums.set(name, this.#sum(name) + report[name]);
    for (const kind of TALLIES) {
      const total = this.#tallies.get(kind);
      for (const [key, count] of report[kind]) total?.set(key, (total.get(key) ?? 0) + count);
    }
  }

  /** One line that says it all, and what it is made of. */
  lines(): string[] {
    const seconds = (performance.now() - this.#startedMs) / 1000;
    const days = this.#sum('virtualMs') / DAY_MS;
    const summary = [
      `${this.seeds} seeds, ${this.failing.length} failing, ${seconds.toFixed(1)} s`,
      `${days.toFixed(0)} virtual days (${((days / seconds) * 60).toFixed(0)} a minute)`,
      `${this.#sum('events')} events, ${this.#sum('requests')} requests`,
      `${this.#sum('batches')} batches, ${this.#sum('answered')} requests answered`,
      `${this.#sum('excused')} requests paid twice by the provider’s own fault`,
    ].join(', ');
    const tallies = [...this.#tallies].map(([kind, counts]) => {
      const sorted = [...counts].toSorted(([, one], [, other]) => other - one);
      return `${kind}: ${sorted.map(([key, count]) => `${key} ${count}`).join(', ')}`;
    });
    const failing = this.failing.length > 0 ? [`failing seeds: ${this.failing.join(' ')}`] : [];
    const idle = this.isIdle ? ['no request was answered: that proves nothing'] : [];
    return [summary, ...tallies, ...failing, ...idle];
  }

  #sum(name: (typeof SUMS)[number]): number {
    return this.#sums.get(name) ?? 0;
  }
}
