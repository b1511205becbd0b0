/** A job: one request set, its options and its fate. */

import type { FileId, JobId, TenantId } from './ids.ts';
import { LOCAL_TENANT } from './ids.ts';
import type { ChunkLimits, Plan, RequestDefaults } from './plan.ts';
import type { RejectedLine } from './request.ts';

/** Where the request set lies and what it held when the job was made. */
export type JobSource = StoredSource | BatchesSource;

export interface StoredSource {
  /**
   * An absolute path, the name of an object in the blob store that goes when it is planned, or
   * the name of one that somebody else owns.
   */
  readonly kind: 'path' | 'blob' | 'file';
  readonly location: string;
  readonly encoding: 'identity' | 'gzip';
  readonly sizeBytes: number;
  /** Of the bytes as they lie there; null: nobody can change them, so the plan says it. */
  readonly sha256: string | null;
}

/** Batches that nobody here created: their input files are the request set. */
export interface BatchesSource {
  readonly kind: 'batches';
  /** For people. */
  readonly location: string;
  readonly encoding: 'identity';
  /** Of the input files together, as the provider states it; 0 where it does not. */
  readonly sizeBytes: number;
  /** Of the list of batch ids: which batches they are says all that can be known beforehand. */
  readonly sha256: string;
  /** In the order of the result. */
  readonly batches: readonly SourceBatch[];
  /** The provider's files of these batches stay there when all is done. */
  readonly keepsFiles: boolean;
}

export interface SourceBatch {
  readonly batchId: string;
  readonly fileId: string;
  /** The provider's own clock; 0 where it does not say. */
  readonly fileCreatedAtMs: number;
}

/** Which provider runs the job. Never holds a key. */
export interface ProviderIdentity {
  readonly baseUrl: string;
  readonly organization: string | null;
  readonly project: string | null;
}

/** What never changes after the job is made. */
export interface JobSpec {
  readonly id: JobId;
  readonly createdAtMs: number;
  readonly runKey: string;
  /** For people: the file's name. */
  readonly name: string;
  readonly source: JobSource;
  readonly defaults: RequestDefaults;
  readonly limits: ChunkLimits;
  readonly onInvalid: 'fail' | 'skip';
  readonly provider: ProviderIdentity;
  readonly completionWindow: string;
  /** Absent: the job was made by a command, and belongs to the local tenant. */
  readonly terms?: JobTerms;
}

/** What a service's client said when it submitted the job. */
export interface JobTerms {
  readonly tenant: TenantId;
  readonly metadata: Readonly<Record<string, string>>;
  /** Where the end of the job is told; null: nowhere. */
  readonly callbackUrl: string | null;
  /** The uploaded file that the request set came in; null: it came with the call. */
  readonly inputFile: FileId | null;
  /** The output files are not shown any longer than this; null: as long as the job is kept. */
  readonly outputExpiresAfterSeconds: number | null;
  /** The job whose failed requests these are; null: none. */
  readonly retryOf: JobId | null;
  /** What was wished for each chunk. Absent: the job is older than this field. */
  readonly limits?: LimitTerms;
}

/** Null: nothing was wished, and the service's own limit holds. */
export interface LimitTerms {
  readonly maxRequests: number | null;
  readonly maxBytes: number | null;
}

/** What the same command may change when it attaches again. */
export interface JobOptions {
  /** Batches that may execute for one chunk. */
  readonly maxAttempts: number;
  /** The brake; null: none. */
  readonly maxErrors: ErrorBound | null;
}

/** How many failed lines stop the sending of new chunks: a count, or a share of settled lines. */
export type ErrorBound =
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'share'; readonly share: number };

/**
 * What the job's owner wants of unsettled chunks. It stands in the job's stream first and takes
 * effect by an append to each chunk's stream; the revision says which wish a chunk has heard.
 */
export type Intent =
  | { readonly kind: 'run'; readonly revision: number }
  | ({ readonly kind: 'hold'; readonly revision: number } & Trouble)
  | { readonly kind: 'cancel'; readonly revision: number };

/** Why the whole job must pause; its owner can mend the cause and resume. */
export interface Trouble {
  readonly code: HoldCode;
  readonly message: string;
}

export type HoldCode =
  | 'unconfirmed'
  | 'paused'
  | 'unauthorized'
  | 'insufficient_quota'
  | 'provider_refused'
  | 'max_errors';

/** plan.json, named by its hash. */
export interface PlanReference extends Pick<
  Plan,
  'endpoint' | 'models' | 'counts' | 'idsDigest' | 'source'
> {
  readonly sha256: string;
  readonly chunkCount: number;
}

/** Why a job ended before anything was sent. */
export interface PlanRefusal {
  readonly code: string;
  readonly message: string;
  /** The first of them. */
  readonly rejected: readonly RejectedLine[];
  readonly rejectedTotal: number;
}

/** The audited result. */
export interface ResultRecord {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly lines: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly rejected: number;
}

interface JobCommon {
  readonly spec: JobSpec;
  readonly options: JobOptions;
  readonly intent: Intent;
  /** The revision of the intent that every unsettled chunk has heard. */
  readonly spreadRevision: number;
}

export type JobState = JobCommon &
  (
    | { readonly status: 'created' }
    | { readonly status: 'refused'; readonly refusal: PlanRefusal }
    | { readonly status: 'planned'; readonly plan: PlanReference }
    | { readonly status: 'merged'; readonly plan: PlanReference; readonly result: ResultRecord }
    | {
        readonly status: 'done';
        readonly plan: PlanReference;
        readonly result: ResultRecord;
        /** Files that the provider did not let us delete; they expire by themselves. */
        readonly filesLeft: number;
      }
  );

/** What happened to a job. */
export type JobEvent =
  | {
      readonly type: 'created';
      readonly spec: JobSpec;
      readonly options: JobOptions;
      /** Nothing is sent before its owner has seen the plan and agreed. */
      readonly unconfirmed: boolean;
    }
  | { readonly type: 'refused'; readonly refusal: PlanRefusal }
  | { readonly type: 'planned'; readonly plan: PlanReference }
  | { readonly type: 'adjusted'; readonly options: JobOptions }
  | { readonly type: 'wished'; readonly wish: Wish }
  | { readonly type: 'spread'; readonly revision: number }
  | { readonly type: 'merged'; readonly result: ResultRecord }
  | { readonly type: 'cleaned'; readonly filesLeft: number };

/** An intent before it has its revision. */
export type Wish =
  | { readonly kind: 'run' }
  | ({ readonly kind: 'hold' } & Trouble)
  | { readonly kind: 'cancel' };

/** A job as people see it. */
export type JobStatus =
  | 'planning'
  | 'running'
  | 'paused'
  | 'cancelling'
  | 'completed'
  | 'completed_with_errors'
  | 'cancelled'
  | 'failed';

/** The one word for a job's state. */
export function jobStatus(state: JobState): JobStatus {
  switch (state.status) {
    case 'created':
      return state.intent.kind === 'cancel' ? 'cancelling' : 'planning';
    case 'refused':
      return state.refusal.code === 'job_cancelled' ? 'cancelled' : 'failed';
    case 'planned':
      if (state.intent.kind === 'cancel') return 'cancelling';
      return state.intent.kind === 'hold' ? 'paused' : 'running';
    case 'merged':
    case 'done':
      if (state.intent.kind === 'cancel') return 'cancelled';
      return state.result.failed + state.result.rejected > 0
        ? 'completed_with_errors'
        : 'completed';
  }
}

/** Whether nothing more can become of the job. */
export function isTerminal(state: JobState): boolean {
  return state.status === 'refused' || state.status === 'done';
}

/** Whose the job is. */
export function tenantOf(spec: JobSpec): TenantId {
  return spec.terms?.tenant ?? LOCAL_TENANT;
}
