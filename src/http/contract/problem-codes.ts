/** Every stable code of an error, and what it says: programs test for codes. */

export interface ProblemCode {
  readonly code: string;
  readonly meaning: string;
}

const MEANINGS = {
  already_over: 'The job is over: nothing more can be done to it.',
  ambiguous_job: 'Several jobs begin with that id.',
  body_too_large: 'The JSON body is larger than what is taken.',
  client_gone: 'The client went away before its body was whole.',
  configuration: 'The service is not set up for this.',
  empty_input: 'The request set holds no request.',
  forbidden: 'The key is right, and the route is for administrators.',
  foreign_origin: 'A page of another origin may not call.',
  idempotency_conflict: 'The idempotency key was used for something else.',
  input_changed: 'The input is not what it was when the job was made.',
  input_unreadable: 'The input cannot be read any more.',
  internal: 'Something broke here; the operator’s log says what, by the request’s id.',
  invalid_api_key: 'No key, or none that is in force.',
  invalid_callback_url: 'The callback URL is none that is called.',
  invalid_gzip: 'The body says that it is gzipped, and cannot be unpacked.',
  invalid_json: 'The body is not JSON.',
  invalid_lines: 'Lines of the request set are no requests; `errors` names the first of them.',
  invalid_signature: 'The webhook is not signed by the provider, or not now.',
  invalid_type: 'A parameter or field is of another type.',
  invalid_value: 'A parameter or field has a value that is not taken.',
  line_too_long: 'A line of the request set is longer than what is taken.',
  method_not_allowed: 'The path is there, and is not for this method.',
  misdirected: 'The service does not answer to that Host.',
  missing_required_parameter: 'A parameter or field is missing.',
  nested_too_deep: 'The JSON is nested too deep.',
  no_result: 'Nothing was sent, so there never is a result.',
  no_room: 'There is no room left; try again later.',
  not_adoptable: 'Those batches cannot be taken over.',
  not_configured: 'A secret that this needs is not set.',
  not_enough_room: 'The work would not fit on the disk.',
  not_finished: 'The job is not over yet.',
  not_found: 'There is nothing at this path.',
  options_in_query: 'With a JSON body the options stand in it, not in the query.',
  output_not_written: 'The output could not be written.',
  queue_unavailable: 'Redis takes nothing now; nothing was kept of the call. Try again later.',
  quota_exceeded: 'The tenant’s room is used up.',
  range_not_satisfiable: 'What is asked for a range of ends before the range begins.',
  repeated_parameter: 'A parameter stands there twice.',
  store_damaged: 'Something that belongs to this is damaged; the operator has to see it.',
  too_dense: 'The body unpacks to far more than it should.',
  too_large: 'The body is larger than what is taken.',
  too_many_calls: 'Too many calls a minute; `Retry-After` says how long to wait.',
  too_many_failures: 'Too many wrong keys from this address; wait a minute.',
  too_many_models: 'The request set names more models than a job may have.',
  too_many_streams: 'Too many streams of events or lines at once.',
  too_many_uploads: 'Too many uploads at once.',
  too_slow: 'Nothing came for a while.',
  unknown_job: 'There is no such job.',
  unknown_parameter: 'A parameter or field that the route does not know.',
  unsupported_charset: 'The body is in another character set than UTF-8.',
  unsupported_encoding: 'Bodies come as they are, or gzipped.',
  unsupported_media_type: 'The route takes bodies of other types.',
} as const;

/** In alphabetical order. */
export const PROBLEM_CODES: readonly ProblemCode[] = Object.entries(MEANINGS).map(
  ([code, meaning]) => ({ code, meaning }),
);
