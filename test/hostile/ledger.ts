/** What the hostile server did and what it asks money for. */

/** One request that one batch worked on. */
export interface Execution {
  readonly customId: string;
  readonly batch: Batch;
  /** The answer line that it wrote, without a newline; null: it wrote none. */
  readonly line: string | null;
  readonly success: boolean;
  /** Only successes are billed. */
  readonly billed: boolean;
  /** Whether the line stands in a file so that it can be read. */
  readonly readable: boolean;
}

export type BatchStatus =
  | 'validating'
  | 'in_progress'
  | 'finalizing'
  | 'completed'
  | 'failed'
  | 'expired'
  | 'cancelling'
  | 'cancelled';

export interface StoredFile {
  readonly id: string;
  readonly filename: string;
  readonly createdAtS: number;
  readonly purpose: 'batch' | 'batch_output';
  readonly content: Buffer;
  deleted: boolean;
  /** Its content was sent whole. */
  isHandedOut: boolean;
}

export interface Batch {
  readonly id: string;
  /** Counted from 1 in the order of creation. */
  readonly number: number;
  readonly inputFileId: string;
  /** Made by a middlebox that sent the client's create twice. */
  readonly isTwin: boolean;
  readonly createdMs: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly lines: readonly string[];
  status: BatchStatus;
  /** When the status began. */
  sinceMs: number;
  executed: Execution[];
  output: StoredFile | null;
  errors: StoredFile | null;
  validation: { code: string; message: string; line: number | null }[];
  /** Success lines that can be read, by custom_id, in reading order: output before errors. */
  readonly successes: Map<string, { readonly text: string; readonly inErrors: boolean }[]>;
  /** Its counts as they were shown last; null: none were. */
  counted: { readonly total: number; readonly completed: number; readonly failed: number } | null;
  /** Lists that leave it out. */
  hiddenLists: number;
  /** Looks at it by id. */
  looks: number;
  /** Some answer has named its error file. */
  errorsNamed: boolean;
}

export class Ledger {
  readonly batches: Batch[] = [];
  readonly files = new Map<string, StoredFile>();
  readonly #executions = new Map<string, Execution[]>();

  executions(customId: string): readonly Execution[] {
    return this.#executions.get(customId) ?? [];
  }

  add(execution: Execution): void {
    const known = this.#executions.get(execution.customId) ?? [];
    this.#executions.set(execution.customId, [...known, execution]);
    execution.batch.executed.push(execution);
  }

  /** All ids that were ever worked on. */
  ids(): string[] {
    return [...this.#executions.keys()];
  }
}
