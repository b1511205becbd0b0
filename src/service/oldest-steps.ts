/** What a sweep finds to be owed, and for how long: the oldest step of each kind. */

import type { ChunkStep, JobStep } from '../domain/owed.ts';
import type { StepAges } from '../ports/step-ages.ts';

export class OldestSteps {
  readonly #ages = new Map<string, number>();

  /** A step that is owed since so long; below zero: its time has not come. */
  note(step: JobStep | ChunkStep, ageMs: number): void {
    if (ageMs < 0) return;
    this.#ages.set(step, Math.max(ageMs, this.#ages.get(step) ?? 0));
  }

  all(): StepAges {
    return Object.fromEntries(this.#ages);
  }
}
