/**
 * Which chunk a line belongs to: one open chunk a model, filled greedily in input order.
 *
 * A rejected line belongs to a chunk too, so that each line has one place where its answer comes
 * from. It never counts towards the provider's limits, but every chunk holds at most a bounded
 * number of lines, so that settling it fits into memory.
 */

import { Refusal } from '../../domain/errors.ts';
import { chunkIdOf } from '../../domain/ids.ts';
import type { ChunkLimits, PlannedChunk } from '../../domain/plan.ts';
import type { ChunkFiles } from './chunk-files.ts';

const MAX_MODELS = 200;

/** Ids have room for ten times as many; whoever shows or sweeps a job reads its plan whole. */
const MAX_CHUNKS = 100_000;

const MAX_LINES = 200_000;

/** A chunk's counts while it grows, and afterwards. */
export interface DraftChunk {
  readonly index: number;
  /** Null until a request comes. */
  model: string | null;
  requests: number;
  rejected: number;
  sizeBytes: number;
  inputs: number;
  firstLine: number;
  lastLine: number;
  /** Null where nothing is written, and once the chunk is closed. */
  files: ChunkFiles | null;
}

export interface PackerEvents {
  opened(chunk: DraftChunk): void;
  closed(chunk: DraftChunk): void;
}

export class ChunkPacker {
  readonly chunks: DraftChunk[] = [];
  /** Models in the order of their first request. */
  readonly models: string[] = [];
  readonly #limits: ChunkLimits;
  readonly #maxLines: number;
  readonly #events: PackerEvents;
  readonly #open = new Map<string | null, DraftChunk>();
  readonly #known = new Set<string>();
  /** The open chunk that got a line last. */
  #latest: DraftChunk | null = null;

  constructor(limits: ChunkLimits, events: PackerEvents) {
    this.#limits = limits;
    this.#maxLines = Math.max(limits.maxRequests, Math.min(4 * limits.maxRequests, MAX_LINES));
    this.#events = events;
  }

  /** Takes a request of the model into a chunk; `sizeBytes` with its newline. */
  addRequest(model: string, line: number, sizeBytes: number, inputs: number): DraftChunk {
    let chunk = this.#latest?.model === model ? this.#latest : this.#chunkOf(model);
    if (chunk !== null && !this.#fits(chunk, sizeBytes, inputs)) {
      this.#close(chunk);
      chunk = null;
    }
    chunk ??= this.#adopt(model) ?? this.#openFor(model, line);
    chunk.requests += 1;
    chunk.sizeBytes += sizeBytes;
    chunk.inputs += inputs;
    this.#touch(chunk, line);
    return chunk;
  }

  /** Takes a rejected line into a chunk: its model's, else the latest one, else a new one. */
  addRejected(model: string | null, line: number): DraftChunk {
    let chunk = this.#chunkOf(model) ?? this.#latest ?? this.#latestOpen();
    if (chunk !== null && linesOf(chunk) >= this.#maxLines) {
      this.#close(chunk);
      chunk = null;
    }
    chunk ??= this.#openFor(null, line);
    chunk.rejected += 1;
    this.#touch(chunk, line);
    return chunk;
  }

  closeAll(): void {
    for (const chunk of this.#open.values()) this.#close(chunk);
  }

  #chunkOf(model: string | null): DraftChunk | null {
    return this.#open.get(model) ?? null;
  }

  #fits(chunk: DraftChunk, sizeBytes: number, inputs: number): boolean {
    return (
      chunk.requests < this.#limits.maxRequests &&
      chunk.sizeBytes + sizeBytes <= this.#limits.maxBytes &&
      chunk.inputs + inputs <= this.#limits.maxInputs &&
      linesOf(chunk) < this.#maxLines
    );
  }

  /** The chunk that holds only rejected lines so far becomes the model's. */
  #adopt(model: string): DraftChunk | null {
    const chunk = this.#chunkOf(null);
    if (chunk === null) return null;
    if (linesOf(chunk) >= this.#maxLines) {
      this.#close(chunk);
      return null;
    }
    this.#open.delete(null);
    chunk.model = model;
    this.#learn(model);
    this.#open.set(model, chunk);
    return chunk;
  }

  #openFor(model: string | null, line: number): DraftChunk {
    if (model !== null) this.#learn(model);
    if (this.chunks.length === MAX_CHUNKS) throw tooManyChunks();
    const chunk: DraftChunk = {
      index: this.chunks.length,
      model,
      requests: 0,
      rejected: 0,
      sizeBytes: 0,
      inputs: 0,
      firstLine: line,
      lastLine: line,
      files: null,
    };
    this.chunks.push(chunk);
    this.#open.set(model, chunk);
    this.#events.opened(chunk);
    return chunk;
  }

  #learn(model: string): void {
    if (this.#known.has(model)) return;
    if (this.#known.size === MAX_MODELS) {
      throw new Refusal(
        'too_many_models',
        `The input names more than ${MAX_MODELS} models. Split it by model into several inputs.`,
      );
    }
    this.#known.add(model);
    this.models.push(model);
  }

  #touch(chunk: DraftChunk, line: number): void {
    chunk.lastLine = line;
    this.#latest = chunk;
  }

  #close(chunk: DraftChunk): void {
    this.#open.delete(chunk.model);
    if (this.#latest === chunk) this.#latest = null;
    this.#events.closed(chunk);
  }

  #latestOpen(): DraftChunk | null {
    let latest: DraftChunk | null = null;
    for (const chunk of this.#open.values()) {
      if (latest === null || chunk.lastLine > latest.lastLine) latest = chunk;
    }
    return latest;
  }
}

/** The chunk as the plan says it. */
export function plannedChunk(chunk: DraftChunk): PlannedChunk {
  const { requests, rejected, sizeBytes, inputs, firstLine, lastLine } = chunk;
  const model = requests === 0 ? null : chunk.model;
  const id = chunkIdOf(chunk.index);
  return { id, model, requests, rejected, sizeBytes, inputs, firstLine, lastLine };
}

function tooManyChunks(): Refusal {
  const message = `The input makes more than ${MAX_CHUNKS} chunks. Ask for larger ones.`;
  return new Refusal('too_many_chunks', message);
}

function linesOf(chunk: DraftChunk): number {
  return chunk.requests + chunk.rejected;
}
