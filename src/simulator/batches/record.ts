/** A batch as the simulator knows it. */

export type BatchStatus =
  | 'validating'
  | 'in_progress'
  | 'finalizing'
  | 'completed'
  | 'failed'
  | 'expired'
  | 'cancelling'
  | 'cancelled';

/** Why a batch failed its validation. */
export interface BatchFinding {
  readonly code: string;
  /** Counted from 1; null: not about a line. */
  readonly line: number | null;
  readonly message: string;
  readonly param: string | null;
}

/** What a caller, a test or a fault wants to become of a batch. */
export interface BatchOrder {
  readonly kind: 'cancel' | 'expire' | 'fail' | 'complete';
  /** Share of the requests that are executed at least, 0 … 1. */
  readonly share?: number;
  /** For `fail`. */
  readonly findings?: readonly BatchFinding[];
}

export interface BatchUsage {
  inputTokens: number;
  outputTokens: number;
}

/** Times are unix seconds, null where it has not come to that. */
export interface BatchRecord {
  /** Counted from 1 in the order of creation. */
  readonly ordinal: number;
  readonly id: string;
  readonly endpoint: string;
  readonly inputFileId: string;
  /** '' where the file is unknown. */
  readonly inputFilename: string;
  readonly completionWindow: string;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly outputExpiresAfterSeconds: number | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  model: string | null;
  status: BatchStatus;
  findings: readonly BatchFinding[];
  outputFileId: string | null;
  errorFileId: string | null;
  inProgressAt: number | null;
  finalizingAt: number | null;
  completedAt: number | null;
  failedAt: number | null;
  expiredAt: number | null;
  cancellingAt: number | null;
  cancelledAt: number | null;
  total: number;
  completed: number;
  failed: number;
  readonly usage: BatchUsage;
  /** Prompt tokens by the simulator's estimate; 0 until they are known. */
  promptTokens: number;
  order: BatchOrder | null;
}

/** What fault switches match: the ids, the input's filename and the metadata. */
export function subjectOf(batch: BatchRecord): string {
  const metadata = JSON.stringify(batch.metadata);
  return `${batch.id} ${batch.inputFileId} ${batch.inputFilename} ${metadata}`;
}

/**
 * By what faults draw for a batch: its place in the order of creation, since its id depends on
 * names that clients make up anew in every run.
 */
export function drawKeyOf(batch: BatchRecord): string {
  return `batch ${batch.ordinal}`;
}

/** Whether nothing more will become of the batch. */
export function isTerminal(status: BatchStatus): boolean {
  return ['completed', 'failed', 'expired', 'cancelled'].includes(status);
}
