/** The plan: how a request set is cut into chunks, as plan.json says it. */

import type { ChunkId } from './ids.ts';
import type { Endpoint } from './request.ts';

/** What one Batch file may hold, from the provider's profile or the user's smaller wish. */
export interface ChunkLimits {
  readonly maxRequests: number;
  readonly maxBytes: number;
  /** Embedding inputs over all requests of one chunk; each request's `input` may be a list. */
  readonly maxInputs: number;
  /** The longest line that is read at all, in bytes without its newline. */
  readonly maxLineBytes: number;
}

/** Defaults for what a line may leave out, and the endpoint that all lines must share. */
export interface RequestDefaults {
  /** Null: the first line that names one decides for the set. */
  readonly endpoint: Endpoint | null;
  /** Inserted where `body.model` is absent; null: such a line is rejected. */
  readonly model: string | null;
  /** Lines may leave nothing out that OpenAI asks for. Absent: what they may, is inserted. */
  readonly isStrict?: true;
}

export interface PlannedChunk {
  readonly id: ChunkId;
  /** Null where the chunk holds rejected lines only. */
  readonly model: string | null;
  /** Lines that are sent. */
  readonly requests: number;
  /** Lines that have their error line already. */
  readonly rejected: number;
  /** Size of the sent lines in bytes, newlines included: what a first upload weighs. */
  readonly sizeBytes: number;
  /** Embedding inputs; 0 for other endpoints. */
  readonly inputs: number;
  readonly firstLine: number;
  readonly lastLine: number;
}

export interface PlanCounts {
  /** Lines of the input, blank ones included. */
  readonly lines: number;
  readonly blank: number;
  readonly requests: number;
  readonly rejected: number;
  /** Lines that got a custom_id from us. */
  readonly insertedIds: number;
}

export interface Plan {
  readonly endpoint: Endpoint;
  /** Models in the order of their first request. */
  readonly models: readonly string[];
  readonly chunks: readonly PlannedChunk[];
  readonly counts: PlanCounts;
  readonly source: { readonly sizeBytes: number; readonly sha256: string };
  /**
   * sha256 over the ids of all answered lines in input order: each decoded id as a netstring
   * (`<length in bytes>:<bytes>,`), `-` for a rejected line without an id.
   */
  readonly idsDigest: string;
}
