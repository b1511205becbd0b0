/**
 * Shared volatile state between worker processes: slots for live batches, and progress for
 * people. All of it can be lost at any moment; it is rebuilt from the journal, and until that is
 * done (`isReady` false) no slot is given, so nobody submits.
 */

import type { ChunkId, JobId } from '../domain/ids.ts';

export interface ChunkRef {
  readonly job: JobId;
  readonly chunk: ChunkId;
}

/** A chunk's progress as people see it. */
export interface ChunkProgress {
  /** `waiting`, `uploading`, `validating`, `in_progress`, `finalizing`, `settled` … */
  readonly phase: string;
  /** Why it waits, in words; empty where it does not. */
  readonly reason: string;
  readonly total: number;
  readonly done: number;
  readonly failed: number;
}

export interface LiveBoard {
  /** False after a flush or a restart, until `markReady`. */
  isReady(): Promise<boolean>;
  markReady(): Promise<void>;

  /**
   * Takes one of `capacity` slots of the model, atomically; taking one that is held already
   * renews it. Full: the chunk is put in line and `parked` comes back. Not ready: `unready`.
   */
  takeSlot(model: string, holder: ChunkRef, capacity: number): Promise<SlotAnswer>;

  /**
   * Frees the slot, takes the caller out of the line where it stands there, and resolves to the
   * next chunk in line, taken out of it; null: none.
   */
  freeSlot(model: string, holder: ChunkRef): Promise<ChunkRef | null>;

  /** Marks the slot as held whatever the capacity: for batches that exist by the journal. */
  restoreSlot(model: string, holder: ChunkRef): Promise<void>;

  /** All holders of slots of the model, with the time since each was taken or renewed. */
  holders(model: string): Promise<{ holder: ChunkRef; heldMs: number }[]>;

  setProgress(ref: ChunkRef, progress: ChunkProgress): Promise<void>;
  progress(job: JobId): Promise<Map<ChunkId, ChunkProgress>>;

  /** Forgets the job's progress and its chunks in line; slots are freed by their holders. */
  dropJob(job: JobId): Promise<void>;

  /** Ends what the board itself opened; a connection that it was given stays its owner's. */
  close(): Promise<void>;
}

export type SlotAnswer = 'taken' | 'parked' | 'unready';
