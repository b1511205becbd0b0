/** Open jobs in numbers, for metrics: no tenant, no key and no id stands in any of them. */

import type { ChunkState } from '../domain/chunk.ts';
import { parseJobId } from '../domain/ids.ts';
import type { JobState, JobStatus } from '../domain/job.ts';
import { isTerminal, jobStatus } from '../domain/job.ts';
import { needsSlot } from '../domain/owed.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { ChunkRef, LiveBoard } from '../ports/live-board.ts';
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

/** What a token of a request usually takes in its file; none is counted one by one. */
const BYTES_PER_TOKEN = 4;

export interface OpenFiguresParts {
  readonly blobs: BlobStore;
  readonly views: JobViews;
  readonly board: LiveBoard;
  readonly clock: Clock;
}

/** Slots of one model, or of several that are counted together. */
interface HeldSlots {
  readonly label: string;
  readonly holders: readonly ChunkRef[];
}

export class OpenFigures {
  readonly #parts: OpenFiguresParts;
  readonly #states: Recent<'open', readonly JobState[]>;
  readonly #counts: Recent<'chunks' | 'tokens', ReadonlyMap<string, number>>;
  readonly #slots: Recent<'slots', readonly HeldSlots[]>;

  constructor(parts: OpenFiguresParts) {
    this.#parts = parts;
    this.#states = new Recent(parts.clock, KEEP_MS);
    this.#counts = new Recent(parts.clock, KEEP_MS);
    this.#slots = new Recent(parts.clock, KEEP_MS);
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
  async liveBatches(): Promise<ReadonlyMap<string, number>> {
    return tally((await this.#held()).map(({ label, holders }) => [label, holders.length]));
  }

  /** About how many tokens the input files of these batches hold, by model likewise. */
  liveTokens(): Promise<ReadonlyMap<string, number>> {
    return this.#counts.get('tokens', () => this.#estimateTokens());
  }

  async #countChunks(): Promise<ReadonlyMap<string, number>> {
    const found: [string, number][] = [];
    for (const { spec } of await this.#open()) {
      const shown = await this.#parts.board.progress(spec.id);
      for (const { phase } of shown.values()) found.push([PHASES.has(phase) ? phase : OTHER, 1]);
    }
    return tally(found);
  }

  async #estimateTokens(): Promise<ReadonlyMap<string, number>> {
    const found: [string, number][] = [];
    for (const { label, holders } of await this.#held()) {
      let sizeBytes = 0;
      await concurrently(holders, LOADS_AT_ONCE, async ({ job, chunk }) => {
        const state = await this.#parts.views.chunk(job, chunk);
        sizeBytes += liveBytes(state);
      });
      found.push([label, Math.ceil(sizeBytes / BYTES_PER_TOKEN)]);
    }
    return tally(found);
  }

  #held(): Promise<readonly HeldSlots[]> {
    return this.#slots.get('slots', () => this.#findHeld());
  }

  async #findHeld(): Promise<readonly HeldSlots[]> {
    const models = new Set<string>();
    for (const state of await this.#open()) {
      if (isPlanned(state)) for (const model of state.plan.models) models.add(model);
    }
    const labels = new Set<string>();
    const found: HeldSlots[] = [];
    for (const model of models) {
      const holders = await this.#parts.board.holders(model);
      const known = labelOf(model);
      const label = labels.has(known) || labels.size < MAX_MODELS ? known : OTHER;
      labels.add(label);
      found.push({ label, holders: holders.map(({ holder }) => holder) });
    }
    return found;
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

/** Of the input file over which the chunk has, or may have, a batch at the provider. */
function liveBytes(state: ChunkState | null): number {
  if (state === null || !('attempt' in state) || !needsSlot(state)) return 0;
  return state.attempt.upload.sizeBytes;
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
