/**
 * The service that runs batches.
 *
 * Every method makes one attempt and never retries; a failure rejects with `Weather`, whose kind
 * says what is certain. Optional fields arrive normalised: null where the wire has null, absent
 * or `""`; statuses lower-case; times in milliseconds since 1970. Faults of the local disk reject
 * with the system's own errors.
 */
export interface BatchProvider {
  /**
   * Uploads byte ranges of a local file, in order, as one Batch input file; memory stays flat.
   * Rejects as transient on a stall, or where the stored size does not fit; what may be left
   * over is a file without a batch.
   */
  upload(input: UploadInput): Promise<ProviderFile>;

  /**
   * Creates a batch: the one call that costs money. Rejects `unknown` wherever a batch may exist.
   */
  createBatch(input: CreateBatchInput): Promise<ProviderBatch>;

  retrieveBatch(batchId: string): Promise<ProviderBatch>;

  /** One page, at most 100, of what the provider lists; most list the newest first. */
  listBatches(after: string | null): Promise<{ batches: ProviderBatch[]; next: string | null }>;

  /** Asks to cancel; resolves with the batch as it then is. A 409 rejects as permanent. */
  cancelBatch(batchId: string): Promise<ProviderBatch>;

  /** Null where the provider does not know the file (404). */
  retrieveFile(fileId: string): Promise<ProviderFile | null>;

  /** One page of the files with purpose batch. */
  listFiles(after: string | null): Promise<{ files: ProviderFile[]; next: string | null }>;

  /** Resolves when the file is gone, also where it was already. */
  deleteFile(fileId: string): Promise<void>;

  /**
   * Writes the file's content to a new local file, fsynced, and checks it against the size that
   * the provider states. Rejects `transient` on a cut, a stall or a size that does not fit.
   */
  download(fileId: string, localPath: string): Promise<{ sizeBytes: number }>;
}

/** A half-open byte range [start, end). */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface UploadInput {
  readonly localPath: string;
  /** Ascending, not overlapping; their joined bytes are the file. */
  readonly ranges: readonly ByteRange[];
  readonly filename: string;
  /** How long the provider shall keep the file, in seconds. */
  readonly expiresAfterSeconds: number;
}

export interface CreateBatchInput {
  readonly inputFileId: string;
  readonly endpoint: string;
  readonly completionWindow: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface ProviderFile {
  readonly id: string;
  readonly filename: string;
  /** 0 where the server does not say. */
  readonly sizeBytes: number;
  /** The provider's own clock; 0 where the server does not say. */
  readonly createdAtMs: number;
}

export interface ProviderBatch {
  readonly id: string;
  /** Lower-case; may be a status that is not known here. */
  readonly status: string;
  readonly inputFileId: string | null;
  readonly outputFileId: string | null;
  readonly errorFileId: string | null;
  /** 0 where the server does not say. */
  readonly createdAtMs: number;
  readonly counts: BatchCounts | null;
  readonly errors: readonly BatchError[];
  readonly metadata: Readonly<Record<string, string>>;
}

export interface BatchCounts {
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
}

/** Why a batch failed validation; `line` counts from 1 in the uploaded file. */
export interface BatchError {
  readonly code: string;
  readonly message: string;
  readonly line: number | null;
  readonly param: string | null;
}
