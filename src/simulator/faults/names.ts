/** Every fault that the simulator can cause, by name, with what it does. */

export const OPERATIONS = [
  'upload',
  'file_list',
  'file_retrieve',
  'download',
  'file_delete',
  'create',
  'list',
  'retrieve',
  'cancel',
] as const;

export type Operation = (typeof OPERATIONS)[number];

/** Before any work is done; alone for every operation, or as `<operation>_<name>` for one. */
export const BEFORE_WORK = {
  rate_limit_429: 'answers 429 with Retry-After (retryAfterSeconds, 1 by default)',
  insufficient_quota: 'answers 429 with the code insufficient_quota',
  unauthorized_401: 'answers 401 with the code invalid_api_key',
  forbidden_403: 'answers 403',
  server_error_500: 'answers 500',
  html_502: 'answers 502 with an HTML body',
  '409': 'answers 409',
  reset: 'resets the connection',
  slow: 'answers late (delayMs, 1000 by default)',
  hang: 'never answers',
} as const;

/** After the work is done; alone for every operation, or as `<operation>_<name>` for one. */
export const AFTER_WORK = {
  timeout_after_work: 'does the work and never answers',
  reset_after_work: 'does the work and resets the connection',
  '500_after_work': 'does the work and answers 500',
  html_502_after_work: 'does the work and answers 502 with an HTML body',
  '409_after_work': 'does the work and answers 409',
  truncated_200_after_work: 'does the work and ends the answer in the middle of its JSON',
} as const;

/** About one file or batch. "For a while": the first `calls` calls about it (3), or forMs. */
export const OBJECT_FAULTS = {
  file_not_found_right_after_upload: 'create answers 400 "cannot find file" for a while',
  create_400_unknown_file: 'create answers 400, not 200, where the input file is unknown',
  retrieve_404_for_a_while: 'retrieving the batch answers 404 for a while',
  list_lag: 'the batch is absent from lists for a while',
  list_never_sorted: 'lists come in an order that has nothing to do with time',
  list_stale_until_retrieved: 'lists show the batch as it was when last retrieved by id',
  metadata_dropped: 'the batch shows no metadata',
  status_backwards: 'an answer shows an earlier status',
  unknown_status: 'an answer shows a status that nobody knows',
  upper_case_status: 'statuses are in upper case',
  counts_null: 'request_counts is null',
  counts_wrong: 'request_counts is off',
  empty_file_ids: 'absent file ids are empty strings',
  null_fields_absent: 'null fields are left out',
  errors_as_list: 'errors is a plain list',
  completed_with_null_output_for_a_while: 'the file ids of a completed batch are null for a while',
  stuck_validating: 'the batch stays in validating while the fault is on',
  stuck_finalizing: 'the batch stays in finalizing while the fault is on, then expires',
  fails_without_reason: 'the batch fails its validation, and no line is named',
  token_limit_exceeded: 'the batch fails with token_limit_exceeded',
  expired_partially: 'the batch expires with a share of its requests done (share)',
  expired_with_server_errors: 'rows of an expired batch carry a generic server error',
  cancelled_partially: 'the service itself cancels the batch with a share done (share)',
  error_file_empty: 'a batch without failures has an error file of zero bytes',
  output_file_gone: 'the output file is gone',
  error_file_gone: 'the error file is gone',
} as const;

export const DOWNLOAD_FAULTS = {
  download_cut: 'the connection is reset in the middle of the content',
  download_truncated_silently: 'the content ends early, without a length and without an error',
  download_truncated_at_line_end: 'the same, just after a newline',
  download_stalls: 'the content stops in the middle and the connection stays open',
  download_without_length: 'no Content-Length, but whole',
} as const;

/** Drawn for each answer line by its custom_id. */
export const LINE_FAULTS = {
  line_refused: 'the batch fails its validation, and the line is named',
  line_error_400: 'the request fails for good',
  line_error_429: 'the request fails with 429',
  line_error_quota: 'the request fails with 429 and the code insufficient_quota',
  line_error_500: 'the request fails with 500',
  line_duplicate: 'the line stands twice',
  line_conflict: 'beside its success the request has a failure in the error file',
  line_stranger: 'a line with a custom_id that was never sent follows',
  line_missing: 'the request has no line at all',
  line_unparsable: 'the line is cut in the middle',
  line_bad_utf8: 'the line holds bytes that are not UTF-8',
  line_status_0: 'the line has status_code 0 and no body',
  line_id_escaped: 'the custom_id is written with \\u escapes (allowed by JSON)',
} as const;

export const WEBHOOK_FAULTS = {
  webhook_lost: 'the webhook is not sent',
  webhook_duplicate: 'the webhook is sent twice',
  webhook_bad_signature: 'the webhook carries a signature that does not fit',
} as const;

export type BeforeWork = keyof typeof BEFORE_WORK;
export type AfterWork = keyof typeof AFTER_WORK;
export type CallFault = BeforeWork | AfterWork;

export type FaultName =
  | CallFault
  | `${Operation}_${CallFault}`
  | keyof typeof OBJECT_FAULTS
  | keyof typeof DOWNLOAD_FAULTS
  | keyof typeof LINE_FAULTS
  | keyof typeof WEBHOOK_FAULTS;

/** Name → sentence, for every fault. */
export const SIMULATOR_FAULTS: ReadonlyMap<string, string> = new Map([
  ...callFaults(),
  ...Object.entries(OBJECT_FAULTS),
  ...Object.entries(DOWNLOAD_FAULTS),
  ...Object.entries(LINE_FAULTS),
  ...Object.entries(WEBHOOK_FAULTS),
]);

function callFaults(): [string, string][] {
  const everywhere = Object.entries({ ...BEFORE_WORK, ...AFTER_WORK });
  const byOperation = OPERATIONS.flatMap((operation) =>
    everywhere.map(([name, text]): [string, string] => [
      `${operation}_${name}`,
      `${operation} ${text}`,
    ]),
  );
  return [...everywhere, ...byOperation];
}
