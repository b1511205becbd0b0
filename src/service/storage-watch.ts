/**
 * The local disk in trouble (full, read-only, failing) is one thing, however many steps it stops:
 * people hear of it once, steps wait without calling the provider, and go on when a small write
 * succeeds again.
 */

import { meaningOf } from '../domain/alert.ts';
import type { StorageTrouble } from '../domain/storage.ts';
import { roomForJob, storageTroubleOf } from '../domain/storage.ts';
import type { Bell, BellAnswer } from '../ports/work-queue.ts';
import type { Tools } from '../stages/tools.ts';
import type { JobViews } from './job-views.ts';

/** The first pause after trouble; it doubles up to the longest. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 20_000;

/** People are reminded of trouble that lasts. */
const REMINDER_MS = 15 * 60_000;

/** A bell in trouble that is not heard again for this time is answered by another process. */
const FORGET_MS = 2 * 60_000;

/** Written to see whether the disk takes anything, and removed at once. */
const PROBE = 'local/room-probe';
const PROBE_BYTES = 64 * 1024;

const MEGABYTE = 1_000_000;

interface Suffering {
  readonly code: string;
  times: number;
  lastMs: number;
}

type StorageTools = Pick<Tools, 'blobs' | 'scratch' | 'clock' | 'notices' | 'watch'>;

export class StorageWatch {
  readonly #tools: StorageTools;
  readonly #views: JobViews;
  readonly #folder: string;
  /** What is in trouble now, by bell. */
  readonly #suffering = new Map<string, Suffering>();
  /** When people were told last, by code and what it concerns. */
  readonly #told = new Map<string, number>();

  /** `folder` is what people call the place of everything that steps write. */
  constructor(tools: StorageTools, views: JobViews, folder: string) {
    this.#tools = tools;
    this.#views = views;
    this.#folder = folder;
  }

  /** Answers the bell by `work`; in trouble with the disk: later. Other errors reject. */
  async answer(bell: Bell, work: () => Promise<BellAnswer>): Promise<BellAnswer> {
    const key = `${bell.job} ${bell.chunk ?? 'job'}`;
    try {
      this.#forgetOthers();
      if (this.#isDiskInTrouble()) await this.#probe();
      const answer = await work();
      this.#recovered(key);
      return answer;
    } catch (error) {
      const trouble = storageTroubleOf(error);
      if (trouble === null) throw error;
      await this.#tell(trouble, bell);
      const delayMs = this.#suffer(key, trouble);
      // The job is attended to: that it stands still is no news beside what was told.
      this.#tools.watch.attend(bell.job)(delayMs);
      return { kind: 'later', delayMs };
    }
  }

  /** Sweeps by `work`, which steps need not wait for: trouble is told and swallowed. */
  async sweep(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      this.#recovered('sweep');
    } catch (error) {
      const trouble = storageTroubleOf(error);
      if (trouble === null) throw error;
      this.#suffer('sweep', trouble);
      await this.#tell(trouble, { job: null, chunk: null });
    }
  }

  /** While it is, no step calls the provider for something that could not be written down. */
  #isDiskInTrouble(): boolean {
    return [...this.#suffering.values()].some(({ code }) => code !== 'store_damaged');
  }

  #forgetOthers(): void {
    const nowMs = this.#tools.clock.monotonicMs();
    for (const [key, { lastMs }] of this.#suffering) {
      if (nowMs - lastMs > FORGET_MS) this.#suffering.delete(key);
    }
    if (this.#suffering.size === 0) this.#told.clear();
  }

  async #probe(): Promise<void> {
    await this.#tools.blobs.put(PROBE, Buffer.alloc(PROBE_BYTES));
    await this.#tools.blobs.delete(PROBE);
  }

  /** How long to wait then. */
  #suffer(key: string, { code }: StorageTrouble): number {
    const times = (this.#suffering.get(key)?.times ?? 0) + 1;
    this.#suffering.set(key, { code, times, lastMs: this.#tools.clock.monotonicMs() });
    return Math.min(FIRST_PAUSE_MS * 2 ** Math.min(times - 1, 16), LONGEST_PAUSE_MS);
  }

  #recovered(key: string): void {
    const before = this.#suffering.get(key);
    if (before === undefined) return;
    this.#suffering.delete(key);
    if (this.#suffering.size > 0) return;
    this.#told.clear();
    this.#tools.notices.tell({
      level: 'warning',
      code: 'storage_recovered',
      message: `${this.#folder} can be used again: work goes on.`,
      job: null,
      chunk: null,
    });
  }

  /** Once for the disk, once for each damaged thing; again while it lasts. */
  async #tell(trouble: StorageTrouble, about: Pick<Told, 'job' | 'chunk'>): Promise<void> {
    const { code, message } = trouble;
    const topic = code === 'store_damaged' ? `${code} ${message}` : code;
    const nowMs = this.#tools.clock.monotonicMs();
    const toldMs = this.#told.get(topic);
    if (toldMs !== undefined && nowMs - toldMs < REMINDER_MS) return;
    this.#told.set(topic, nowMs);
    const text = `${await this.#words(trouble, about)} ${meaningOf(code).todo}`;
    const { job, chunk } = code === 'store_damaged' ? about : { job: about.job, chunk: null };
    this.#tools.notices.tell({ level: 'alert', code, message: text, job, chunk });
  }

  /** What is wrong, and where; what to do about it stands in the table of alerts. */
  async #words({ code, message }: StorageTrouble, { job }: Pick<Told, 'job'>): Promise<string> {
    if (code === 'disk_full') return this.#noRoom(message, job);
    if (code === 'store_damaged') {
      return `Something below ${this.#folder} is missing or damaged: ${message}.`;
    }
    const whats = {
      disk_read_only: 'is read-only',
      disk_forbidden: 'must not be written to by this user',
      disk_failing: 'is on a disk that fails',
    };
    return `${this.#folder} ${whats[code]} (${message}).`;
  }

  async #noRoom(message: string, job: Told['job']): Promise<string> {
    const free = await this.#tools.scratch.freeBytes().catch(() => 0);
    const state = job === null ? null : await this.#views.job(job).catch(() => null);
    const need =
      state === null ? '' : ` The job may need ${megabytes(roomForJob(state.spec.source))} in all.`;
    return `${this.#folder} is full: ${megabytes(free)} are free (${message}).${need}`;
  }
}

type Told = Pick<Bell, 'chunk'> & { readonly job: Bell['job'] | null };

function megabytes(bytes: number): string {
  return `${(bytes / MEGABYTE).toFixed(1)} MB`;
}
