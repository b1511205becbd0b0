/** Batches: how they come to be, go on by themselves, end, and are shown. */

import { answerFiles, execute, idIn } from './answers.ts';
import type { Batch, BatchStatus, Ledger, StoredFile } from './ledger.ts';
import type { Mischief } from './mischief.ts';

const ENDED: ReadonlySet<BatchStatus> = new Set(['completed', 'failed', 'expired', 'cancelled']);

type Fate = 'completed' | 'failed' | 'expired' | 'cancelled';

export class Batches {
  readonly #ledger: Ledger;
  readonly #mischief: Mischief;
  readonly #store: (content: Buffer) => StoredFile;
  readonly #fates = new Map<string, Fate>();
  readonly #endLooks = new Map<string, number>();

  constructor(ledger: Ledger, mischief: Mischief, store: (content: Buffer) => StoredFile) {
    this.#ledger = ledger;
    this.#mischief = mischief;
    this.#store = store;
  }

  /** Null where the server does not have the input file. */
  create(inputFileId: string, metadata: Record<string, string>, isTwin: boolean): Batch | null {
    const file = this.#ledger.files.get(inputFileId);
    if (file === undefined || file.deleted) return null;
    const number = this.#ledger.batches.length + 1;
    const odd = this.#mischief.active.has('odd_ids');
    const nowMs = performance.now();
    const batch: Batch = {
      id: odd ? `batch é/${number}?x=#%41+` : `batch_${number}`,
      number,
      inputFileId,
      isTwin,
      createdMs: nowMs,
      metadata,
      lines: file.content
        .toString()
        .split('\n')
        .filter((line) => line !== ''),
      status: 'validating',
      sinceMs: nowMs,
      executed: [],
      output: null,
      errors: null,
      validation: [],
      successes: new Map(),
      counted: null,
      hiddenLists: this.#mischief.happens('lagging_list', number) ? 2 : 0,
      looks: 0,
      errorsNamed: false,
    };
    this.#ledger.batches.push(batch);
    this.#fates.set(batch.id, this.#fateOf(number));
    return batch;
  }

  /** Lets the time that has passed have its effect. */
  advance(): void {
    for (const batch of this.#ledger.batches) {
      while (this.#step(batch)) continue;
    }
  }

  cancel(batch: Batch): void {
    if (!ENDED.has(batch.status) && batch.status !== 'cancelling') this.#enter(batch, 'cancelling');
  }

  isEnded(batch: Batch): boolean {
    return ENDED.has(batch.status);
  }

  /** The batch as an answer shows it. */
  view(batch: Batch): object {
    const { number, looks, status } = batch;
    const mischief = this.#mischief;
    const backward = mischief.happens('backward_status', number, looks);
    const word = backward ? mischief.chance.pick(['validating', 'paused'], number, looks) : status;
    const isLate = mischief.active.has('late_file_ids') && mischief.chance.is(0.6, number, 'late');
    const hides = isLate && looks < this.#looksAtEnd(batch) + 3;
    const last = mischief.active.has('output_id_last') && looks < this.#looksAtEnd(batch) + 2;
    batch.counted = this.#counts(batch);
    batch.errorsNamed ||= batch.errors !== null && !hides;
    const none = mischief.chance.pick([null, ''], number, 'none');
    return {
      id: batch.id,
      object: 'batch',
      endpoint: '/v1/chat/completions',
      input_file_id: batch.inputFileId,
      status: mischief.happens('odd_case', number, looks) ? oddCase(word) : word,
      created_at: this.#createdAt(batch),
      output_file_id: hides || last ? none : (batch.output?.id ?? none),
      error_file_id: hides ? none : (batch.errors?.id ?? none),
      errors: batch.validation.length > 0 ? { object: 'list', data: batch.validation } : null,
      request_counts: batch.counted,
      metadata: mischief.active.has('no_metadata') ? null : batch.metadata,
    };
  }

  /** The first look by id that found it ended; the present one where none has. */
  #looksAtEnd(batch: Batch): number {
    if (!this.isEnded(batch)) return batch.looks;
    const known = this.#endLooks.get(batch.id) ?? batch.looks;
    this.#endLooks.set(batch.id, known);
    return known;
  }

  #createdAt(batch: Batch): number | string {
    const seconds = Math.floor((Date.now() - performance.now() + batch.createdMs) / 1000);
    return this.#mischief.chance.is(0.2, 'iso dates')
      ? new Date(seconds * 1000).toISOString()
      : seconds;
  }

  #fateOf(number: number): Fate {
    if (this.#mischief.happens('fails_validation', number)) return 'failed';
    if (this.#mischief.happens('expires', number)) return 'expired';
    return this.#mischief.happens('is_cancelled', number) ? 'cancelled' : 'completed';
  }

  /** One status on, where its time has come; true where something moved. */
  #step(batch: Batch): boolean {
    const { status, number } = batch;
    if (ENDED.has(status)) return false;
    const lastsMs = this.#mischief.chance.whole(5, 60, 'lasts', number, status);
    if (performance.now() - batch.sinceMs < lastsMs) return false;
    if (status === 'validating') this.#validate(batch);
    else if (status === 'in_progress') this.#finalize(batch);
    else if (status === 'cancelling') this.#end(batch, 'cancelled');
    else this.#end(batch, this.#fates.get(batch.id) ?? 'completed');
    return true;
  }

  #validate(batch: Batch): void {
    const poison = batch.lines.findIndex((line) => this.#isPoisoned(idIn(line)));
    const input = this.#ledger.files.get(batch.inputFileId);
    if (input === undefined || input.deleted) {
      return this.#fail(batch, 'invalid_request', 'The input file is gone.', null);
    }
    if (poison >= 0) {
      return this.#fail(batch, 'invalid_request', 'This line is not good.', poison + 1);
    }
    if (this.#fates.get(batch.id) === 'failed') {
      return this.#fail(batch, 'server_error', 'Validation did not work.', null);
    }
    this.#enter(batch, 'in_progress');
    this.#execute(batch, 0, 0.5);
  }

  #isPoisoned(customId: string): boolean {
    return this.#mischief.happens('poisoned_line', customId);
  }

  #fail(batch: Batch, code: string, message: string, line: number | null): void {
    batch.validation = [{ code, message, line }];
    this.#enter(batch, 'failed');
  }

  #finalize(batch: Batch): void {
    const fate = this.#fates.get(batch.id);
    const share = this.#mischief.chance.share('share', batch.number);
    this.#execute(batch, 0.5, fate === 'completed' ? 1 : 0.5 + share / 2);
    this.#enter(batch, 'finalizing');
  }

  #execute(batch: Batch, from: number, to: number): void {
    const count = batch.lines.length;
    for (const line of batch.lines.slice(Math.floor(from * count), Math.floor(to * count))) {
      execute(line, batch, this.#ledger, this.#mischief);
    }
  }

  #end(batch: Batch, fate: Fate): void {
    this.#enter(batch, fate);
    const { output, errors } = answerFiles(batch, this.#ledger, this.#mischief);
    batch.output = output && this.#store(output);
    batch.errors = errors && this.#store(errors);
  }

  #enter(batch: Batch, status: BatchStatus): void {
    batch.status = status;
    batch.sinceMs = performance.now();
  }

  /** A lie about counts never says of a paid batch that nothing in it succeeded. */
  #counts(batch: Batch): Batch['counted'] {
    const total = batch.lines.length;
    const completed = batch.executed.filter((one) => one.success).length;
    const failed = batch.executed.length - completed;
    const honest = { total, completed, failed };
    const hasFiles = batch.output !== null || batch.errors !== null;
    if (!this.isEnded(batch) || !hasFiles || completed === 0) return honest;
    const mischief = this.#mischief;
    const isLiar = (name: Parameters<Mischief['happens']>[0]): boolean =>
      mischief.active.has(name) && mischief.chance.is(0.4, name, batch.number);
    if (isLiar('absent_counts')) return null;
    if (isLiar('zero_counts')) return { total: 0, completed: 0, failed: 0 };
    if (isLiar('stuck_counts')) return { total, completed: 1, failed: 0 };
    return isLiar('wrong_counts') ? { total, completed: completed + 2, failed: 3 } : honest;
  }
}

function oddCase(text: string): string {
  return text.length % 2 === 0 ? text.toUpperCase() : text.charAt(0).toUpperCase() + text.slice(1);
}
