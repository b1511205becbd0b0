/**
 * Files as a tenant sees them: those that were uploaded, and two of each job that is over, the
 * lines that succeeded and the lines that failed. The latter are views of the job's result.
 */

import { Refusal } from '../domain/errors.ts';
import type { FileId, JobId } from '../domain/ids.ts';
import { parseFileId, parseJobId } from '../domain/ids.ts';
import type { JobState, JobStatus, StoredSource } from '../domain/job.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Clock } from '../ports/clock.ts';
import { removedViewName } from '../stages/names.ts';
import type { ByteView } from './byte-view.ts';
import { wholeView } from './byte-view.ts';
import type { Desk } from './desk.ts';
import type { FileKind, FileOrder, FilePlace } from './file-places.ts';
import { isBefore, outputFileId, placeOf, requirePlace } from './file-places.ts';
import type { JobClock } from './job-times.ts';
import type { ResultViews } from './result-views.ts';
import { hasResult } from './settled-lines.ts';
import type { NewFile, UploadedFile, UploadedFiles } from './uploaded-files.ts';

export interface TenantFile {
  readonly id: string;
  readonly kind: FileKind;
  readonly filename: string;
  readonly sizeBytes: number;
  readonly createdAtMs: number;
  /** Null: it stays until it is removed. */
  readonly expiresAtMs: number | null;
}

export interface FileListQuery {
  /** The id of the last one of the page before; it need not be there any more. */
  readonly after: string | null;
  readonly limit: number;
  readonly order: FileOrder;
  readonly kinds: readonly FileKind[];
}

/** An uploaded file as what a job is made of. */
export interface UploadedSource {
  readonly id: FileId;
  readonly name: string;
  /** Local, to be read only. */
  readonly path: string;
  readonly source: StoredSource;
}

export interface TenantFilesParts {
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly uploaded: UploadedFiles;
  readonly results: ResultViews;
  readonly jobClock: JobClock;
}

const JOB_PAGE = 100;

/** Of jobs that may have a result. */
const ENDED: ReadonlySet<JobStatus> = new Set(['completed', 'completed_with_errors', 'cancelled']);

/** Another tenant's file is as unknown here as one that never was. */
export class TenantFiles {
  readonly #parts: TenantFilesParts;

  constructor(parts: TenantFilesParts) {
    this.#parts = parts;
  }

  async add(desk: Desk, file: NewFile): Promise<TenantFile> {
    return shownUpload(await this.#parts.uploaded.add(desk.tenant, file));
  }

  /** Null where the tenant has no such file (any more). */
  async get(desk: Desk, id: string): Promise<TenantFile | null> {
    const upload = parseFileId(id);
    if (upload !== null) {
      const file = await this.#parts.uploaded.get(desk.tenant, upload);
      return file === null ? null : shownUpload(file);
    }
    const state = await this.#jobBehind(desk, id);
    const kind = placeOf(id)?.kind;
    return state === null || kind === undefined ? null : this.#outputFile(state, kind);
  }

  /** The file with its bytes; null as above. */
  async open(desk: Desk, id: string): Promise<{ file: TenantFile; view: ByteView } | null> {
    const file = await this.get(desk, id);
    if (file === null) return null;
    const upload = parseFileId(id);
    if (upload !== null) {
      const name = this.#parts.uploaded.contentName(desk.tenant, upload);
      return { file, view: wholeView(this.#parts.blobs, name, file.sizeBytes) };
    }
    const state = await this.#jobBehind(desk, id);
    if (state === null) return null;
    const view = await this.#parts.results.view(state, file.kind === 'output' ? 'ok' : 'failed');
    return { file, view };
  }

  /** An uploaded file for a job; null where the tenant has none of this id. */
  async source(desk: Desk, text: string): Promise<UploadedSource | null> {
    const id = parseFileId(text);
    const file = id === null ? null : await this.#parts.uploaded.get(desk.tenant, id);
    if (file === null || id === null) return null;
    const location = this.#parts.uploaded.contentName(desk.tenant, id);
    const { sizeBytes, filename: name } = file;
    const source = {
      kind: 'file',
      location,
      encoding: 'identity',
      sizeBytes,
      sha256: null,
    } as const;
    const path = await this.#localPath(location);
    return path === null ? null : { id, name, path, source };
  }

  /** A page of the tenant's files. */
  async list(
    desk: Desk,
    { after, limit, order, kinds }: FileListQuery,
  ): Promise<{ files: readonly TenantFile[]; hasMore: boolean }> {
    const place = after === null ? null : placeOf(after);
    const uploads = kinds.includes('uploaded') ? this.#uploads(desk, place, order) : nothing();
    const outputs = kinds.includes('output') ? this.#outputs(desk, place, order) : nothing();
    const files: TenantFile[] = [];
    for await (const file of merged(uploads, outputs, order)) {
      if (!kinds.includes(file.kind)) continue;
      if (files.length === limit) return { files, hasMore: true };
      files.push(file);
    }
    return { files, hasMore: false };
  }

  /**
   * False where the tenant has no such file. Of a job's output only the file goes: its bytes are
   * the job's result, and stay with it.
   */
  async remove(desk: Desk, id: string): Promise<boolean> {
    const file = await this.get(desk, id);
    const upload = parseFileId(id);
    if (file === null) return false;
    if (upload !== null) return this.#parts.uploaded.remove(desk.tenant, upload);
    const state = await this.#jobBehind(desk, id);
    if (state === null || file.kind === 'uploaded') return false;
    await this.#parts.blobs.put(removedViewName(state.spec.id, file.kind), Buffer.from(''));
    return true;
  }

  /** Removes uploads of all tenants that have expired, or were never completed. */
  async removeStale(): Promise<void> {
    await this.#parts.uploaded.removeStale();
  }

  /** Null: it was removed after its record was read. */
  async #localPath(location: string): Promise<string | null> {
    try {
      return await this.#parts.blobs.toLocal(location);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    }
  }

  async #jobBehind(desk: Desk, id: string): Promise<JobState | null> {
    const place = placeOf(id);
    if (place === null || place.kind === 'uploaded') return null;
    const job = parseJobId(`job_${place.body}`);
    return job === null ? null : ownJob(desk, job);
  }

  async #outputFile(state: JobState, kind: FileKind): Promise<TenantFile | null> {
    if (kind === 'uploaded' || !hasResult(state)) return null;
    const { spec, result } = state;
    const lines = kind === 'output' ? result.succeeded : result.failed + result.rejected;
    if (lines === 0) return null;
    if ((await this.#parts.blobs.head(removedViewName(spec.id, kind))) !== null) return null;
    const sizes = await this.#parts.results.knownSizes(state);
    if (sizes === null) return null;
    const { endedAtMs } = await this.#parts.jobClock.times(state);
    const createdAtMs = endedAtMs ?? spec.createdAtMs;
    const lifeSeconds = spec.terms?.outputExpiresAfterSeconds ?? null;
    const expiresAtMs = lifeSeconds === null ? null : createdAtMs + lifeSeconds * 1000;
    if (expiresAtMs !== null && expiresAtMs <= this.#parts.clock.wallMs()) return null;
    const sizeBytes = kind === 'output' ? sizes.okBytes : sizes.failedBytes;
    const ending = kind === 'output' ? 'output' : 'error';
    const filename = `batch_${spec.id.slice('job_'.length)}_${ending}.jsonl`;
    return { id: outputFileId(spec.id, kind), kind, filename, sizeBytes, createdAtMs, expiresAtMs };
  }

  async *#uploads(
    desk: Desk,
    after: FilePlace | null,
    order: FileOrder,
  ): AsyncGenerator<TenantFile> {
    const ids = await this.#parts.uploaded.ids(desk.tenant);
    for (const id of order === 'oldest' ? ids : ids.toReversed()) {
      if (after !== null && !isBefore(after, requirePlace(id), order)) continue;
      const file = await this.#parts.uploaded.get(desk.tenant, id);
      if (file !== null) yield shownUpload(file);
    }
  }

  async *#outputs(
    desk: Desk,
    after: FilePlace | null,
    order: FileOrder,
  ): AsyncGenerator<TenantFile> {
    const begin = after === null ? null : parseJobId(`job_${after.body}`);
    const first = begin === null ? null : await ownJob(desk, begin);
    if (first !== null) yield* this.#outputsOf(first, after, order);
    let cursor = begin;
    for (;;) {
      const page = await desk.list({ after: cursor, limit: JOB_PAGE, order, statuses: ENDED });
      for (const state of page.jobs) yield* this.#outputsOf(state, null, order);
      cursor = page.jobs.at(-1)?.spec.id ?? null;
      if (!page.hasMore) return;
    }
  }

  async *#outputsOf(
    state: JobState,
    after: FilePlace | null,
    order: FileOrder,
  ): AsyncGenerator<TenantFile> {
    const kinds = ['output', 'errors'] as const;
    for (const kind of order === 'oldest' ? kinds : kinds.toReversed()) {
      const body = state.spec.id.slice('job_'.length);
      if (after !== null && !isBefore(after, { kind, body }, order)) continue;
      const file = await this.#outputFile(state, kind);
      if (file !== null) yield file;
    }
  }
}

function shownUpload(file: UploadedFile): TenantFile {
  return { ...file, kind: 'uploaded' };
}

async function* nothing(): AsyncGenerator<TenantFile> {}

/** Two lists of the same order as one. */
async function* merged(
  one: AsyncGenerator<TenantFile>,
  other: AsyncGenerator<TenantFile>,
  order: FileOrder,
): AsyncGenerator<TenantFile> {
  let [left, right] = [await one.next(), await other.next()];
  while (left.done !== true || right.done !== true) {
    const isLeft =
      left.done !== true &&
      (right.done === true ||
        isBefore(requirePlace(left.value.id), requirePlace(right.value.id), order));
    if (isLeft) {
      yield left.value as TenantFile;
      left = await one.next();
    } else {
      yield right.value as TenantFile;
      right = await other.next();
    }
  }
}

async function ownJob(desk: Desk, id: JobId): Promise<JobState | null> {
  try {
    return await desk.job(id);
  } catch (error) {
    if (error instanceof Refusal && error.code === 'unknown_job') return null;
    throw error;
  }
}
