/** What a request line may ask for, and the reasons for which it is turned away. */

export const ENDPOINTS = [
  '/v1/chat/completions',
  '/v1/responses',
  '/v1/embeddings',
  '/v1/completions',
  '/v1/moderations',
] as const;

export type Endpoint = (typeof ENDPOINTS)[number];

/** Whether the text names an endpoint that Batchwright sends requests to. */
export function isEndpoint(text: string): text is Endpoint {
  return (ENDPOINTS as readonly string[]).includes(text);
}

/** Stable codes of rejected lines: they stand in result lines, so they never change. */
export type RejectionCode =
  | 'invalid_utf8'
  | 'invalid_json'
  | 'not_an_object'
  | 'line_too_long'
  | 'nested_too_deep'
  | 'duplicate_key'
  | 'invalid_custom_id'
  | 'duplicate_custom_id'
  | 'invalid_method'
  | 'missing_url'
  | 'unknown_url'
  | 'mixed_url'
  | 'missing_body'
  | 'invalid_body'
  | 'missing_model'
  | 'invalid_model'
  | 'streaming_unsupported'
  | 'missing_input'
  | 'too_many_inputs'
  | 'request_too_large';

/** Codes of sets whose lines may leave nothing out: one such line fails all of the set. */
export type StrictRejectionCode =
  | 'missing_custom_id'
  | 'missing_method'
  | 'missing_messages'
  | 'missing_prompt';

/** Why one line of a request set cannot be sent. */
export interface Rejection {
  readonly code: RejectionCode | StrictRejectionCode;
  /** One sentence that names the field and the way out. */
  readonly message: string;
}

/** A rejected line with its place. */
export interface RejectedLine extends Rejection {
  /** Counted from 1; blank lines count. */
  readonly line: number;
}
