/** The brake: stops sending new chunks when too many settled lines have failed. */

import type { ChunkId, JobId } from '../domain/ids.ts';
import type { ErrorBound } from '../domain/job.ts';
import { parseChunkId } from '../domain/ids.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { WorkQueue } from '../ports/work-queue.ts';
import { settledFolder, settledName } from '../stages/names.ts';
import type { SettledMark } from '../stages/settle.ts';
import type { JobViews } from './job-views.ts';
import { wish } from './wish.ts';

interface Settled {
  readonly lines: number;
  readonly failed: number;
}

export class Brake {
  readonly #views: JobViews;
  readonly #queue: WorkQueue;
  readonly #blobs: BlobStore;
  /** Marks never change, so each is read once a process. */
  readonly #marks = new Map<JobId, Map<ChunkId, Settled>>();

  constructor(views: JobViews, queue: WorkQueue, blobs: BlobStore) {
    this.#views = views;
    this.#queue = queue;
    this.#blobs = blobs;
  }

  /** Holds a running job where its bound is passed. */
  async check(id: JobId): Promise<void> {
    const passed = await this.#passed(id);
    if (passed === null) return;
    const message = `${passed.failed} of ${passed.lines} settled lines failed.`;
    const job = await this.#views.job(id);
    if (job?.intent.kind !== 'run') return;
    await wish(this.#views, this.#queue, id, { kind: 'hold', code: 'max_errors', message });
  }

  /** Whether the job's bound is passed by what is settled. */
  async isPassed(id: JobId): Promise<boolean> {
    return (await this.#passed(id)) !== null;
  }

  async #passed(id: JobId): Promise<Settled | null> {
    const job = await this.#views.job(id);
    if (job === null || job.status !== 'planned' || job.options.maxErrors === null) return null;
    const settled = await this.#settled(id);
    return passes(job.options.maxErrors, settled) ? settled : null;
  }

  async #settled(id: JobId): Promise<Settled> {
    const marks = this.#marks.get(id) ?? new Map<ChunkId, Settled>();
    this.#marks.set(id, marks);
    for (const file of await this.#blobs.list(settledFolder(id))) {
      const chunk = parseChunkId(file.replace('.json', ''));
      if (chunk === null || marks.has(chunk)) continue;
      const bytes = await this.#blobs.get(settledName(id, chunk));
      if (bytes === null) continue;
      const mark = JSON.parse(bytes.toString()) as SettledMark;
      marks.set(chunk, { lines: mark.lines, failed: mark.failed + mark.rejected });
    }
    const all = [...marks.values()];
    return {
      lines: all.reduce((sum, one) => sum + one.lines, 0),
      failed: all.reduce((sum, one) => sum + one.failed, 0),
    };
  }
}

function passes(bound: ErrorBound, settled: Settled): boolean {
  if (bound.kind === 'count') return settled.failed > bound.count;
  return settled.lines > 0 && settled.failed / settled.lines > bound.share;
}
