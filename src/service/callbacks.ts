/**
 * Callbacks as objects: which jobs' ends are still to be told, each try, and what came of it. The
 * mark is written before the job is closed, and goes only when its outcome lies beside the job:
 * a crash in between tells the receiver once more, never not at all.
 */

import type { CallbackEvent } from '../domain/callback.ts';
import { callbackEventOf } from '../domain/callback.ts';
import type { JobId } from '../domain/ids.ts';
import { parseJobId } from '../domain/ids.ts';
import type { JobState } from '../domain/job.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Clock } from '../ports/clock.ts';
import {
  alertName,
  CALLBACKS_FOLDER,
  callbackName,
  callbackOutcomeName,
  callbackTriesFolder,
  callbackTryName,
  jobStreamName,
} from '../stages/names.ts';

/** The end of a job that is still to be told. */
export interface PendingCallback {
  readonly event: CallbackEvent;
  /** Wall time at which the end was noted. */
  readonly atMs: number;
}

/** How far a callback has come. */
export interface Tries {
  readonly count: number;
  /** Wall time of the last one; null: there is none, or it cannot be read. */
  readonly lastAtMs: number | null;
}

export interface CallbackOutcome {
  readonly outcome: 'delivered' | 'unwanted' | 'failed';
  readonly event: CallbackEvent;
  readonly tries: number;
}

export class Callbacks {
  readonly #blobs: BlobStore;
  readonly #clock: Pick<Clock, 'wallMs'>;
  readonly #listeners = new Set<() => void>();

  constructor(blobs: BlobStore, clock: Pick<Clock, 'wallMs'>) {
    this.#blobs = blobs;
    this.#clock = clock;
  }

  /**
   * Notes the end of a job, where it has come and somebody wants to know. To be called before the
   * job's open mark goes; again and again is fine. Durable when it resolves.
   */
  async note(state: JobState): Promise<void> {
    const event = callbackEventOf(state);
    if (event === null) return;
    const { id } = state.spec;
    if ((await this.#blobs.head(callbackOutcomeName(id))) !== null) return;
    const pending: PendingCallback = { event, atMs: this.#clock.wallMs() };
    const answer = await this.#blobs.putIfAbsent(callbackName(id), jsonOf(pending));
    if (answer === 'exists') return;
    for (const listener of this.#listeners) listener();
  }

  /** Calls the listener when this process noted something new; returns how to stop that. */
  onNoted(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Jobs whose end is still to be told. */
  async waiting(): Promise<JobId[]> {
    const names = await this.#blobs.list(CALLBACKS_FOLDER);
    return names.map((name) => parseJobId(name.replace(/\.json$/, ''))).filter((id) => id !== null);
  }

  /** What is still to be told of the job; null where it was told, or is gone. */
  async pending(state: JobState): Promise<PendingCallback | null> {
    const { id } = state.spec;
    const event = callbackEventOf(state);
    if (event === null || (await this.#blobs.head(callbackOutcomeName(id))) !== null) return null;
    const kept = await this.#blobs.get(callbackName(id));
    if (kept === null) return null;
    return { event, atMs: atMsOf(kept) ?? this.#clock.wallMs() };
  }

  async tries(id: JobId): Promise<Tries> {
    const names = await this.#blobs.list(callbackTriesFolder(id));
    const kept = await this.#blobs.get(callbackTryName(id, names.length));
    return { count: names.length, lastAtMs: kept === null ? null : atMsOf(kept) };
  }

  /** Whether the try (from 1) is the caller's to make; of many that ask one is told so. */
  async claim(id: JobId, number: number): Promise<boolean> {
    const made = jsonOf({ atMs: this.#clock.wallMs() });
    return (await this.#blobs.putIfAbsent(callbackTryName(id, number), made)) === 'created';
  }

  /** Nothing more is tried. */
  async close(id: JobId, outcome: CallbackOutcome): Promise<void> {
    await this.#blobs.put(callbackOutcomeName(id), jsonOf(outcome));
    await this.forget(id);
  }

  /** Nothing is to be told of the job any more. */
  async forget(id: JobId): Promise<void> {
    await this.#blobs.delete(callbackName(id));
    if ((await this.#blobs.list(jobStreamName(id))).length > 0) return;
    // A job that was removed meanwhile must not leave what was written of it since.
    await this.#blobs.deleteFolder(callbackTriesFolder(id));
    await this.#blobs.delete(callbackOutcomeName(id));
    await this.#blobs.delete(alertName(id, 'callback_failed', null));
  }
}

function jsonOf(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** Null where the text was damaged. */
function atMsOf(bytes: Buffer): number | null {
  try {
    const { atMs } = JSON.parse(bytes.toString()) as { atMs?: unknown };
    return typeof atMs === 'number' && Number.isSafeInteger(atMs) ? atMs : null;
  } catch {
    return null;
  }
}
