/**
 * The simulated provider itself: files, batches, what they execute and what that costs. It is
 * always up; whether a call reaches it, and its answer the caller, is decided in port.ts.
 */

import { Weather } from '../../../src/domain/errors.ts';
import type { ProviderBatch, ProviderFile } from '../../../src/ports/batch-provider.ts';
import type { Profile, Rates } from '../profile.ts';
import type { Random } from '../random.ts';
import type { Scheduler } from '../scheduler.ts';
import { answerFiles } from './answer-files.ts';
import type { Batch, Final, StoredFile } from './batch.ts';
import { isFinal, isLive, viewOf, wholeSeconds } from './batch.ts';
import { execute, natureOf } from './execution.ts';
import { Ledger } from './ledger.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;
/** Small, so that few batches make many pages. */
const PAGE_SIZE = 3;

export interface ModelParts {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly profile: Profile;
  /** The rates now: all 0 when the faults are over. */
  readonly rates: () => Rates;
  readonly fail: (violation: string) => void;
}

export class ProviderModel {
  readonly ledger = new Ledger();
  readonly files = new Map<string, StoredFile>();
  readonly batches = new Map<string, Batch>();
  /** When somebody was last refused a look at the files. */
  filesRefusedAtMs = -1;
  readonly #parts: ModelParts;
  readonly #byAttempt = new Map<string, Batch[]>();

  constructor(parts: ModelParts) {
    this.#parts = parts;
  }

  /** A call of the name was refused for good. */
  refused(call: string): void {
    if (call === 'listFiles') this.filesRefusedAtMs = this.#parts.scheduler.nowMs;
  }

  upload(filename: string, bytes: Buffer): ProviderFile {
    return this.#file(this.#store(filename, bytes));
  }

  /** Makes a batch, also over a file that is gone: that one fails later, as the real one does. */
  create(inputFileId: string, metadata: Readonly<Record<string, string>>): ProviderBatch {
    const { random } = this.#parts;
    const twin = random.chance(this.#rates.twin);
    const batch = this.#batch(inputFileId, metadata, twin);
    if (twin) this.#batch(inputFileId, metadata, true);
    return this.#view(batch);
  }

  retrieve(id: string): ProviderBatch {
    return this.#view(this.#known(id));
  }

  list(after: string | null): { batches: ProviderBatch[]; next: string | null } {
    const { scheduler, profile } = this.#parts;
    const listed = [...this.batches.values()].filter((one) => one.listedAtMs <= scheduler.nowMs);
    const ordered = profile.sorts
      ? listed.toSorted((a, b) => b.createdAtMs - a.createdAtMs || (a.id < b.id ? -1 : 1))
      : listed.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    return this.#page(ordered, after, (batch) => this.#view(batch));
  }

  cancel(id: string): ProviderBatch {
    const batch = this.#known(id);
    if (isFinal(batch)) throw weather(409, `Cannot cancel a batch with status '${batch.status}'.`);
    if (!batch.cancelAsked) {
      batch.cancelAsked = true;
      batch.status = 'cancelling';
      const delayMs = this.#parts.random.spread(1_000, 10 * MINUTE_MS);
      this.#parts.scheduler.after(delayMs, () => this.#end(batch, 'cancelled'));
    }
    return this.#view(batch);
  }

  retrieveFile(id: string): ProviderFile | null {
    const file = this.#content(id);
    return file && this.#file(file);
  }

  listFiles(after: string | null) {
    const all = [...this.files.values()].filter(({ deletedAtMs }) => deletedAtMs === null);
    const { batches: files, next } = this.#page(all, after, (file) => this.#file(file));
    return { files, next };
  }

  /** The answer says that the file is gone, whether it is or not. */
  deleteFile(id: string): void {
    const file = this.#content(id);
    const isDone = !this.#parts.random.chance(this.#rates.deleteIgnored);
    if (file === null) return;
    file.deletionConfirmed = true;
    if (isDone) file.deletedAtMs = this.#parts.scheduler.nowMs;
  }

  /** The file's bytes, cut between two lines as often as it was drawn for the file. */
  download(id: string): Buffer {
    const file = this.#content(id);
    if (file === null) throw weather(404, `No such file: ${id}`);
    if (file.cuts === 0) return file.bytes;
    file.cuts -= 1;
    const lastLine = file.bytes.lastIndexOf(0x0a, file.bytes.length - 2) + 1;
    return file.bytes.subarray(0, lastLine);
  }

  /**
   * An attempt was given up: a batch of it that was in no list when its file was gone is the
   * provider's own fault. False: the file is still there.
   */
  givenUp(fileId: string): boolean {
    const deletedAtMs = this.files.get(fileId)?.deletedAtMs ?? null;
    if (deletedAtMs === null) return false;
    for (const batch of this.batches.values()) {
      const isOver = batch.inputFileId === fileId;
      if (isOver && batch.listedAtMs > deletedAtMs) this.ledger.hide(batch);
    }
    return true;
  }

  /** Whether what the batch runs over is still there: without it, it fails by itself. */
  isReadable(batch: Batch): boolean {
    return batch.status !== 'validating' || this.#content(batch.inputFileId) !== null;
  }

  get #rates(): Rates {
    return this.#parts.rates();
  }

  #known(id: string): Batch {
    const batch = this.batches.get(id);
    if (batch === undefined) throw weather(404, `No such batch: ${id}`);
    return batch;
  }

  #content(id: string): StoredFile | null {
    const file = this.files.get(id);
    return file === undefined || file.deletedAtMs !== null ? null : file;
  }

  #store(filename: string, bytes: Buffer): StoredFile {
    const { random, scheduler } = this.#parts;
    const id = `file-${random.text(8)}`;
    const createdAtMs = scheduler.nowMs;
    const made = { id, filename, bytes, createdAtMs };
    const file = { ...made, deletedAtMs: null, deletionConfirmed: false, cuts: 0 };
    this.files.set(id, file);
    return file;
  }

  #file({ id, filename, bytes, createdAtMs }: StoredFile): ProviderFile {
    const stated = this.#parts.profile.statesTimes ? wholeSeconds(createdAtMs) : 0;
    return { id, filename, sizeBytes: bytes.length, createdAtMs: stated };
  }

  #view(batch: Batch): ProviderBatch {
    const { scheduler, profile } = this.#parts;
    const states = { times: profile.statesTimes, counts: profile.statesCounts };
    return viewOf(batch, scheduler.nowMs, states);
  }

  #page<Item extends { id: string }, View>(
    items: readonly Item[],
    after: string | null,
    view: (item: Item) => View,
  ) {
    const start = after === null ? 0 : items.findIndex(({ id }) => id === after) + 1;
    const page = items.slice(start, start + PAGE_SIZE);
    const next = start + page.length < items.length ? (page.at(-1)?.id ?? null) : null;
    return { batches: page.map(view), next };
  }

  #batch(inputFileId: string, metadata: Batch['metadata'], isTwin: boolean): Batch {
    const { scheduler, random, profile } = this.#parts;
    const lagMs = random.chance(this.#rates.listLag) ? random.next() * profile.maxLagMs : 0;
    const batch: Batch = {
      id: `batch_${random.text(8)}`,
      inputFileId,
      metadata,
      createdAtMs: scheduler.nowMs,
      listedAtMs: scheduler.nowMs + lagMs,
      isTwin,
      isShort: false,
      status: 'validating',
      customIds: [],
      answers: new Map(),
      errors: [],
      outputFileId: null,
      errorFileId: null,
      filesShownAtMs: 0,
      cancelAsked: false,
    };
    this.batches.set(batch.id, batch);
    this.#checkAttempt(batch);
    scheduler.after(random.spread(1_000, 3 * MINUTE_MS), () => this.#validate(batch));
    return batch;
  }

  /** One batch for each attempt. */
  #checkAttempt(batch: Batch): void {
    const attemptId = batch.metadata['attemptId'] ?? '';
    const before = this.#byAttempt.get(attemptId) ?? [];
    this.#byAttempt.set(attemptId, [...before, batch]);
    if (before.length > 0 && !batch.isTwin) {
      this.#parts.fail(`attempt ${attemptId} was created twice`);
    }
  }

  #validate(batch: Batch): void {
    if (batch.status !== 'validating') return;
    const { random, scheduler } = this.#parts;
    const file = this.#content(batch.inputFileId);
    if (file === null) return this.#fail(batch, 'invalid_request', null);
    const lines = file.bytes.toString().split('\n').filter(Boolean);
    batch.customIds = lines.map((line) => (JSON.parse(line) as { custom_id: string }).custom_id);
    if (random.chance(this.#rates.tokens)) return this.#fail(batch, 'token_limit_exceeded', null);
    const bad = batch.customIds.findIndex((id) => natureOf(id) === 'bad');
    if (bad >= 0) return this.#fail(batch, 'missing_required_parameter', bad + 1);

    batch.status = 'in_progress';
    this.#checkAlone(batch);
    const stuck = random.chance(this.#rates.stuck);
    const half = Math.ceil(batch.customIds.length / 2);
    const durationMs = random.spread(MINUTE_MS, 180 * MINUTE_MS);
    scheduler.after(durationMs / 2, () => this.#execute(batch, half));
    if (stuck) {
      scheduler.after(DAY_MS, () => this.#end(batch, 'expired'));
    } else if (random.chance(this.#rates.cancelledThere)) {
      scheduler.after(durationMs * 0.7, () => this.#end(batch, 'cancelled'));
    } else {
      scheduler.after(durationMs * 0.9, () => this.#execute(batch, batch.customIds.length));
      scheduler.after(durationMs, () => this.#end(batch, 'completed'));
    }
  }

  /** At most one live batch for each chunk. */
  #checkAlone(batch: Batch): void {
    const { job, chunk } = batch.metadata;
    for (const other of this.batches.values()) {
      if (other === batch || other.metadata['job'] !== job) continue;
      if (other.metadata['chunk'] !== chunk || other.status === 'validating') continue;
      if (!isLive(other) || this.ledger.isExcused(other) || this.ledger.isExcused(batch)) continue;
      this.#parts.fail(`${chunk} of ${job} has two live batches: ${other.id}, ${batch.id}`);
    }
  }

  #execute(batch: Batch, upTo: number): void {
    if (batch.status !== 'in_progress' && batch.status !== 'cancelling') return;
    for (const id of batch.customIds.slice(batch.answers.size, upTo)) {
      const answer = execute(id, batch.id, this.#parts.random);
      batch.answers.set(id, answer);
      const violation = answer.ok ? this.ledger.pay(id, batch) : null;
      if (violation !== null) this.#parts.fail(violation);
    }
  }

  #fail(batch: Batch, code: string, line: number | null): void {
    batch.status = 'failed';
    batch.errors = [{ code, message: `${code} as drawn`, line, param: null }];
  }

  #end(batch: Batch, end: Final): void {
    if (isFinal(batch)) return;
    if (batch.status === 'cancelling' && end !== 'cancelled') return;
    const { random, scheduler } = this.#parts;
    const { statesCounts } = this.#parts.profile;
    const files = answerFiles(batch, end, this.#rates, this.ledger, random);
    const made = (bytes: Buffer | null, kind: string): string | null => {
      if (bytes === null) return null;
      const file = this.#store(`${batch.id}-${kind}.jsonl`, bytes);
      const isCut = statesCounts && random.chance(this.#rates.cutDownload);
      file.cuts = isCut ? random.int(1, 2) : 0;
      return file.id;
    };
    batch.outputFileId = made(files.output, 'output');
    batch.errorFileId = made(files.errors, 'errors');
    const isLate = random.chance(this.#rates.lateIds);
    if (isLate) batch.filesShownAtMs = scheduler.nowMs + random.spread(1_000, 20 * MINUTE_MS);
    batch.status = end;
  }
}

function weather(status: number, message: string): Weather {
  return new Weather({ kind: 'permanent', status, code: null, message, retryAfterMs: null });
}
