/** A live board in memory. */

import type { ChunkId, JobId } from '../../../src/domain/ids.ts';
import type {
  ChunkProgress,
  ChunkRef,
  LiveBoard,
  SlotAnswer,
} from '../../../src/ports/live-board.ts';

interface Model {
  /** Holders by name, with the time of taking. */
  readonly slots: Map<string, number>;
  readonly line: Set<string>;
}

export class MemoryLiveBoard implements LiveBoard {
  readonly #nowMs: () => number;
  readonly #models = new Map<string, Model>();
  readonly #progress = new Map<JobId, Map<ChunkId, ChunkProgress>>();
  #ready = false;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Loses everything, as a flush does. */
  forget(): void {
    this.#models.clear();
    this.#progress.clear();
    this.#ready = false;
  }

  async isReady(): Promise<boolean> {
    return this.#ready;
  }

  async markReady(): Promise<void> {
    this.#ready = true;
  }

  async takeSlot(model: string, holder: ChunkRef, capacity: number): Promise<SlotAnswer> {
    if (!this.#ready) return 'unready';
    const { slots, line } = this.#model(model);
    const name = nameOf(holder);
    if (!slots.has(name) && slots.size >= capacity) {
      line.add(name);
      return 'parked';
    }
    slots.set(name, this.#nowMs());
    line.delete(name);
    return 'taken';
  }

  async freeSlot(model: string, holder: ChunkRef): Promise<ChunkRef | null> {
    const { slots, line } = this.#model(model);
    slots.delete(nameOf(holder));
    line.delete(nameOf(holder));
    const [next] = [...line].toSorted();
    if (next === undefined) return null;
    line.delete(next);
    return refOf(next);
  }

  async restoreSlot(model: string, holder: ChunkRef): Promise<void> {
    const { slots, line } = this.#model(model);
    slots.set(nameOf(holder), this.#nowMs());
    line.delete(nameOf(holder));
  }

  async holders(model: string): Promise<{ holder: ChunkRef; heldMs: number }[]> {
    return [...this.#model(model).slots].map(([name, takenAtMs]) => ({
      holder: refOf(name),
      heldMs: this.#nowMs() - takenAtMs,
    }));
  }

  async setProgress({ job, chunk }: ChunkRef, progress: ChunkProgress): Promise<void> {
    const chunks = this.#progress.get(job) ?? new Map<ChunkId, ChunkProgress>();
    chunks.set(chunk, { ...progress });
    this.#progress.set(job, chunks);
  }

  async progress(job: JobId): Promise<Map<ChunkId, ChunkProgress>> {
    return new Map(this.#progress.get(job));
  }

  async dropJob(job: JobId): Promise<void> {
    this.#progress.delete(job);
    for (const { line } of this.#models.values()) {
      for (const name of line) if (name.startsWith(`${job}/`)) line.delete(name);
    }
  }

  async close(): Promise<void> {
    this.forget();
  }

  #model(name: string): Model {
    const model = this.#models.get(name) ?? { slots: new Map(), line: new Set<string>() };
    this.#models.set(name, model);
    return model;
  }
}

function nameOf({ job, chunk }: ChunkRef): string {
  return `${job}/${chunk}`;
}

function refOf(name: string): ChunkRef {
  const [job, chunk] = name.split('/');
  return { job: job as JobId, chunk: chunk as ChunkId };
}
