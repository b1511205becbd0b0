/**
 * Alerts as objects beside their job, so that `status` can show them when the process that told
 * them is gone. Each names the version of the stream that it is about: when the stream has moved
 * on, the alert is over.
 */

import type { Alert } from '../domain/alert.ts';
import { isCurrent, meaningOf, parseAlert } from '../domain/alert.ts';
import type { ChunkId, JobId } from '../domain/ids.ts';
import type { JobState } from '../domain/job.ts';
import { isTerminal } from '../domain/job.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { Journal } from '../ports/journal.ts';
import type { Notice, Notices } from '../ports/notices.ts';
import {
  alertName,
  alertsFolder,
  chunkStreamName,
  jobStreamName,
  workingName,
} from '../stages/names.ts';
import type { Watch } from '../stages/watch.ts';

const MINUTE_MS = 60_000;

export class Alerts {
  readonly #blobs: BlobStore;
  readonly #journal: Journal;
  readonly #clock: Clock;

  constructor(blobs: BlobStore, journal: Journal, clock: Clock) {
    this.#blobs = blobs;
    this.#journal = journal;
    this.#clock = clock;
  }

  /** Keeps the alert, in place of an older one of the same code and chunk. */
  async keep({ code, message, job, chunk }: Notice & { job: JobId }): Promise<void> {
    const version = await this.#versionOf(job, chunk);
    const kept: Alert = { code, message, atMs: this.#clock.wallMs(), chunk, version };
    await this.#blobs.put(alertName(job, code, chunk), Buffer.from(JSON.stringify(kept)));
  }

  /** What people should know of the job now, the oldest first. */
  async current(job: JobState): Promise<Alert[]> {
    const { id } = job.spec;
    const alerts: Alert[] = [];
    for (const name of await this.#blobs.list(alertsFolder(id))) {
      const kept = await this.#read(id, name);
      if (kept === null || (isTerminal(job) && !stays(kept))) continue;
      if (isCurrent(kept, await this.#versionOf(id, kept.chunk))) alerts.push(kept);
    }
    return alerts.toSorted((a, b) => a.atMs - b.atMs);
  }

  /**
   * Removes what is over: its stream has moved, it was not told again for long, or somebody is
   * surely at the job.
   */
  async tend(id: JobId, isWell: boolean, watch: Watch): Promise<void> {
    for (const name of await this.#blobs.list(alertsFolder(id))) {
      const kept = await this.#read(id, name);
      if (kept === null || stays(kept)) continue;
      const key = `alert ${id} ${name} ${kept.atMs}`;
      const fadesMs = (meaningOf(kept.code).fadesMinutes ?? 0) * MINUTE_MS;
      const isFaded = watch.see(key).elapsedMs > fadesMs;
      const isOver = kept.code === 'job_idle' && isWell;
      const version = await this.#versionOf(id, kept.chunk);
      if (!isFaded && !isOver && isCurrent(kept, version)) continue;
      watch.forget(key);
      await this.#blobs.delete(`${alertsFolder(id)}/${name}`);
    }
  }

  /** The job is over: only what stays true of it is kept. */
  async close(id: JobId): Promise<void> {
    await this.#blobs.delete(workingName(id));
    for (const name of await this.#blobs.list(alertsFolder(id))) {
      const kept = await this.#read(id, name);
      if (kept === null || !stays(kept)) await this.#blobs.delete(`${alertsFolder(id)}/${name}`);
    }
  }

  /** Null: it is gone, or nothing that can be shown. */
  async #read(id: JobId, name: string): Promise<Alert | null> {
    const bytes = await this.#blobs.get(`${alertsFolder(id)}/${name}`);
    return bytes === null ? null : parseAlert(bytes.toString());
  }

  async #versionOf(job: JobId, chunk: ChunkId | null): Promise<number> {
    const stream = chunk === null ? jobStreamName(job) : chunkStreamName(job, chunk);
    return (await this.#journal.load(stream))?.version ?? 0;
  }
}

/** Hands every notice on to `next`, and keeps those that are alerts of a job. */
export class KeptNotices implements Notices {
  readonly #next: Notices;
  readonly #alerts: Alerts;
  readonly #writing = new Set<Promise<void>>();

  constructor(next: Notices, alerts: Alerts) {
    this.#next = next;
    this.#alerts = alerts;
  }

  tell(notice: Notice): void {
    this.#next.tell(notice);
    const { level, job } = notice;
    if (level !== 'alert' || job === null) return;
    // Nobody waits for it, and it may fail: a full disk is one of the things that are told.
    const writing = this.#alerts
      .keep({ ...notice, job })
      .catch(() => undefined)
      .finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
  }

  /** Resolves when everything that was told is kept, as far as it can be. */
  async settled(): Promise<void> {
    await Promise.all(this.#writing);
  }
}

function stays({ code }: Alert): boolean {
  return meaningOf(code).fadesMinutes === null;
}
