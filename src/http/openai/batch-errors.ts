/** Why a batch failed, in OpenAI's words: its codes and its names for the fields of a line. */

import type { RejectionCode, StrictRejectionCode } from '../../domain/request.ts';
import type { JobState } from '../../domain/job.ts';
import type { BatchErrorBody } from '../contract/openai-shapes.ts';

interface Fault {
  readonly code: string;
  readonly param: string | null;
}

/** Codes that OpenAI has no word for keep ours. */
const FAULTS: Readonly<Record<RejectionCode | StrictRejectionCode, Fault>> = {
  invalid_utf8: { code: 'invalid_json_line', param: null },
  invalid_json: { code: 'invalid_json_line', param: null },
  not_an_object: { code: 'invalid_json_line', param: null },
  line_too_long: { code: 'line_too_long', param: null },
  nested_too_deep: { code: 'invalid_json_line', param: null },
  duplicate_key: { code: 'invalid_json_line', param: null },
  missing_custom_id: { code: 'missing_required_parameter', param: 'custom_id' },
  invalid_custom_id: { code: 'invalid_request', param: 'custom_id' },
  duplicate_custom_id: { code: 'duplicate_custom_id', param: 'custom_id' },
  missing_method: { code: 'missing_required_parameter', param: 'method' },
  invalid_method: { code: 'invalid_method', param: 'method' },
  missing_url: { code: 'missing_required_parameter', param: 'url' },
  unknown_url: { code: 'invalid_url', param: 'url' },
  mixed_url: { code: 'invalid_url', param: 'url' },
  missing_body: { code: 'missing_required_parameter', param: 'body' },
  invalid_body: { code: 'invalid_request', param: 'body' },
  missing_model: { code: 'invalid_request', param: 'body.model' },
  invalid_model: { code: 'invalid_request', param: 'body.model' },
  streaming_unsupported: { code: 'streaming_unsupported', param: 'body.stream' },
  missing_messages: { code: 'invalid_request', param: 'body.messages' },
  missing_prompt: { code: 'invalid_request', param: 'body.prompt' },
  missing_input: { code: 'invalid_request', param: 'body.input' },
  too_many_inputs: { code: 'invalid_request', param: 'body.input' },
  request_too_large: { code: 'request_too_large', param: null },
};

/** Of refusals that concern the file and no line of it. */
const FILE_FAULTS: ReadonlyMap<string, Fault> = new Map([
  ['empty_input', { code: 'empty_file', param: 'file_id' }],
  ['input_unreadable', { code: 'invalid_request', param: 'file_id' }],
  ['input_changed', { code: 'invalid_request', param: 'file_id' }],
]);

/** Null: the batch did not fail. */
export function batchErrors(state: JobState): { object: 'list'; data: BatchErrorBody[] } | null {
  if (state.status !== 'refused' || state.refusal.code === 'job_cancelled') return null;
  const { code, message, rejected } = state.refusal;
  const lines = rejected.map((one) => ({
    ...FAULTS[one.code],
    line: one.line,
    message: one.message,
  }));
  const fault = FILE_FAULTS.get(code) ?? { code, param: null };
  return { object: 'list', data: lines.length > 0 ? lines : [{ ...fault, line: null, message }] };
}
