/** Open jobs in numbers, for metrics: no tenant, no key and no id stands in any of them. */

import { parseJobId } from '../domain/ids.ts';
import type { JobState, JobStatus } from '../domain/job.ts';
import { isTerminal, jobStatus } from '../domain/job.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { LiveBoard } from '../ports/live-board.ts';
import { concurrently } from '../stages/concurrently.ts';
import { OPEN_FOLDER } from '../stages/names.ts';
import type { JobViews } from './job-views.ts';
import { isPlanned } from './job-views.ts';
import { Recent } from './recent.ts';

/** How old a figure may be. */
const KEEP_MS = 5_000;

/** Jobs that are loaded at once. */
const LOADS_AT_ONCE = 16;

/** Beyond so many, models are counted together: each is a series that is kept for ever. */
const MAX_MODELS = 50;

/** What else people call their models is nobody's business. */
const PLAIN_MODEL = /^[\w./-]{1,64}$/;
const FINE_TUNED = /^ft:([\w./-]{1,64})(?::|$)/;

/** Phases of chunks; a provider may invent further statuses of a batch. */
const PHASES: ReadonlySet<string> = new Set(
  (
    'waiting held uploaded submitting abandoning submitted validating in_progress finalizing ' +
    'cancelling completed failed expired cancelled ended settling settled'
  ).split(' '),
);

const OTHER = 'other';

export interface OpenFiguresParts {
  readonly blobs: BlobStore;
  readonly views: JobViews;
  readonly board: LiveBoard;
  readonly clock: Clock;
}

export class OpenFigures {
  readonly #parts: OpenFiguresParts;
  readonly #states: Recent<'open', readonly JobState[]>;
  readonly #counts: Recent<'chunks' | 'batches', ReadonlyMap<string, number>>;

  constructor(parts: OpenFiguresParts) {
    this.#parts = parts;
    this.#states = new Recent(parts.clock, KEEP_MS);
    this.#counts = new Recent(parts.clock, KEEP_MS);
  }

  /** Jobs that are not over, by status. At most 5 s old, or longer where many are open. */
  async jobs(): Promise<ReadonlyMap<JobStatus, number>> {
    return tally((await this.#open()).map((state) => [jobStatus(state), 1]));
  }

  /** Chunks of these jobs by phase, as far as the live board shows them. */
  chunks(): Promise<ReadonlyMap<string, number>> {
    return this.#counts.get('chunks', () => this.#countChunks());
  }

  /** Slots for live batches that are held, by model: the base model of fine-tuned ones. */
  liveBatches(): Promise<ReadonlyMap<string, number>> {
    return this.#counts.get('batches', () => this.#countBatches());
  }

  async #countChunks(): Promise<ReadonlyMap<string, number>> {
    const found: [string, number][] = [];
    for (const { spec } of await this.#open()) {
      const shown = await this.#parts.board.progress(spec.id);
      for (const { phase } of shown.values()) found.push([PHASES.has(phase) ? phase : OTHER, 1]);
    }
    return tally(found);
  }

  async #countBatches(): Promise<ReadonlyMap<string, number>> {
    const models = new Set<string>();
    for (const state of await this.#open()) {
      if (isPlanned(state)) for (const model of state.plan.models) models.add(model);
    }
    const labels = new Set<string>();
    const found: [string, number][] = [];
    for (const model of models) {
      const holders = await this.#parts.board.holders(model);
      const known = labelOf(model);
      const label = labels.has(known) || labels.size < MAX_MODELS ? known : OTHER;
      labels.add(label);
      found.push([label, holders.length]);
    }
    return tally(found);
  }

  #open(): Promise<readonly JobState[]> {
    return this.#states.get('open', async () => {
      const { blobs, views } = this.#parts;
      const states: JobState[] = [];
      await concurrently(await blobs.list(OPEN_FOLDER), LOADS_AT_ONCE, async (name) => {
        const id = parseJobId(name);
        const state = id === null ? null : await views.job(id);
        if (state !== null && !isTerminal(state)) states.push(state);
      });
      return states;
    });
  }
}

function labelOf(model: string): string {
  const base = FINE_TUNED.exec(model)?.[1];
  if (base !== undefined) return `ft:${base}`;
  return PLAIN_MODEL.test(model) ? model : OTHER;
}

function tally<Key>(found: readonly (readonly [Key, number])[]): ReadonlyMap<Key, number> {
  const counts = new Map<Key, number>();
  for (const [key, count] of found) counts.set(key, (counts.get(key) ?? 0) + count);
  return counts;
}
