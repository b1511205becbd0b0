/** Rows about what becomes of a batch, and how the provider shows it. */

import { requestsPerChunk } from '../case.ts';
import { notGrowing } from '../pauses.ts';
import type { Row, Scene } from '../row.ts';
import { few, strikesOf } from '../row.ts';
import type { Call } from '../workshop.ts';

const SHOWN = [
  ['status_backwards', 'a status goes backwards'],
  ['unknown_status', 'a status that nobody knows'],
  ['upper_case_status', 'statuses in upper case'],
  ['counts_null', 'a batch without counts'],
  ['empty_file_ids', 'empty strings for file ids that are absent'],
  ['null_fields_absent', 'null fields that are left out'],
  ['errors_as_list', 'errors as a plain list'],
  ['metadata_dropped', 'a batch that has lost its metadata'],
] as const;

/** In the names of its files, and in the metadata of its batches. */
const FIRST_CHUNK = 'c000000';

/** Long against what a batch takes to fail. */
const TOKEN_WAITS = { baseMs: 60, maxMs: 480 };

/** A healthy batch is through with these in less than this. */
const STUCK_MS = 150;

export const BATCH_ROWS: readonly Row[] = [
  {
    name: 'expired in part',
    fault: '`expired` with a part of the answers',
    outcome: 'paid lines are kept; only the missing ones go again',
    faults: (seed) => [{ name: 'expired_partially', times: few(seed) }],
  },
  {
    name: 'expired in part with vague errors',
    fault: '`expired`, and the rows not done carry a generic server error',
    outcome: 'paid lines are kept; only the missing ones go again',
    faults: (seed) => [
      { name: 'expired_partially', times: few(seed), share: 0.4 },
      { name: 'expired_with_server_errors' },
    ],
  },
  {
    name: 'cancelled in part',
    fault: '`cancelled` by the provider with a part of the answers',
    outcome: 'paid lines are kept; only the missing ones go again',
    faults: (seed) => [{ name: 'cancelled_partially', times: few(seed) }],
  },
  {
    name: 'failed without a reason',
    fault: '`failed` without a line number',
    outcome: 'sent again; no attempt is counted',
    faults: () => [{ name: 'fails_without_reason', times: 1 }],
    maxAttempts: 1,
  },
  {
    name: 'failed without a reason for good',
    fault: '`failed` without a line number, each time',
    outcome: 'sent three times in all; then the provider’s words are the answers',
    mixes: false,
    faults: () => [{ name: 'fails_without_reason', match: FIRST_CHUNK }],
    maxAttempts: 1,
    errors: (scene) => ({ server_error: requestsOfFirst(scene) }),
    check: (scene) => {
      const { length } = batchesOfFirst(scene);
      return length === 3 ? [] : [`${length} batches failed for one chunk, not 3`];
    },
  },
  {
    name: 'failed with line numbers',
    fault: '`failed` with line numbers',
    outcome: 'those lines become error lines; the rest goes again, and no attempt is counted',
    mixes: false,
    faults: () => [{ name: 'line_refused', times: 1 }],
    maxAttempts: 1,
    errors: (scene) => ({ invalid_request: strikesOf(scene, 'line_refused') }),
  },
  {
    name: 'model not found',
    fault: '`failed` for the model, or for more than a tenth of the lines',
    outcome: 'the chunk fails with the provider’s words; other chunks go on',
    mixes: false,
    world: { models: ['gpt-4o-mini'] },
    maxAttempts: 3,
    errors: ({ lines }) => ({
      model_not_found: lines.filter((line) => line.includes('"gpt-4o"')).length,
    }),
  },
  {
    name: 'token limit exceeded',
    fault: '`token_limit_exceeded`',
    outcome: 'the chunk waits with growing pauses; no attempt is counted',
    faults: (seed) => [{ name: 'token_limit_exceeded', times: 3 + few(seed), match: FIRST_CHUNK }],
    settings: {
      BATCHWRIGHT_TOKEN_PAUSE_BASE_MS: String(TOKEN_WAITS.baseMs),
      BATCHWRIGHT_TOKEN_PAUSE_MAX_MS: String(TOKEN_WAITS.maxMs),
    },
    maxAttempts: 1,
    check: (scene) => notGrowing(scene, isUploadOfFirst, TOKEN_WAITS, () => false),
  },
  {
    name: 'completed with null file ids for a while',
    fault: '`completed` with a null output id',
    outcome: 'looked at again, unless the counts prove that nothing succeeded',
    faults: (seed) => [
      { name: 'completed_with_null_output_for_a_while', times: few(seed), calls: 2 + (seed % 5) },
    ],
    maxAttempts: 1,
  },
  {
    name: 'every request fails',
    fault: '`completed` without an output file, since every request failed',
    outcome: 'the error lines are the answers',
    mixes: false,
    faults: () => [{ name: 'line_error_400' }],
    errors: ({ lines }) => ({ context_length_exceeded: lines.length }),
  },
  ...SHOWN.map(([name, fault]): Row => ({
    name: name.replaceAll('_', ' '),
    fault,
    outcome: 'read for what it means, or looked at again; never taken for an end',
    faults: () => [{ name, rate: 0.5 }],
    maxAttempts: 1,
  })),
  {
    name: 'counts wrong',
    fault: 'counts of failures that are not there',
    outcome: 'looked for a few times, then taken as it is',
    faults: () => [{ name: 'counts_wrong' }],
    maxAttempts: 1,
  },
  {
    name: 'batch not found for a while',
    fault: 'a known batch is not found',
    outcome: 'looked for until it is found; never created again by itself',
    faults: (seed) => [{ name: 'retrieve_404_for_a_while', times: few(seed), calls: 6 }],
    maxAttempts: 1,
  },
  {
    name: 'batch not found for long',
    fault: 'a known batch is not found for ten minutes',
    outcome: 'alert `batch_missing`; looked for on; never created again by itself',
    mixes: false,
    faults: () => [{ name: 'retrieve_404_for_a_while', times: 1, calls: 10_000 }],
    maxAttempts: 1,
    act: async ({ notices, simulator, until }) => {
      await until(() => notices.some(({ code }) => code === 'batch_missing'));
      simulator.controls.clearFaults('retrieve_404_for_a_while');
    },
  },
  stuck('stuck_validating', 'validating'),
  stuck('stuck_finalizing', 'finalizing'),
  {
    name: 'list without the new batch',
    fault: 'a create without an answer, and lists that do not show its batch yet',
    outcome: 'looked for until the list shows it; adopted; one batch',
    faults: (seed) => [
      { name: 'create_reset_after_work', times: few(seed) },
      { name: 'list_lag', calls: 2 },
    ],
    maxAttempts: 1,
    tells: ['batch_adopted'],
  },
  {
    name: 'list in no order',
    fault: 'a create without an answer, and lists in no order, stale and without metadata',
    outcome: 'all pages are read, and matched by the input file; adopted; one batch',
    faults: (seed) => [
      { name: 'create_500_after_work', times: few(seed) },
      { name: 'list_never_sorted' },
      { name: 'list_stale_until_retrieved' },
      { name: 'metadata_dropped' },
    ],
    maxAttempts: 1,
    tells: ['batch_adopted'],
  },
];

function stuck(name: 'stuck_validating' | 'stuck_finalizing', status: string): Row {
  return {
    name: `stuck in ${status}`,
    fault: `a batch that stays in \`${status}\` for long`,
    outcome: 'alert `batch_stuck`; watched, until it moves or ends',
    faults: () => [{ name, times: 1 }],
    world: { windowSeconds: 86_400 },
    settings: { BATCHWRIGHT_STUCK_ALERT_MS: String(STUCK_MS) },
    tells: ['batch_stuck'],
    act: async ({ until, simulator, notices }) => {
      const struck = (): boolean =>
        simulator.controls
          .faults()
          .some(({ fault, strikes }) => fault.name === name && strikes > 0);
      await until(struck);
      const { retrieve: before = 0 } = simulator.ledger.calls();
      await until(() => (simulator.ledger.calls()['retrieve'] ?? 0) > before + 10);
      await until(() => notices.some(({ code }) => code === 'batch_stuck'));
      simulator.controls.clearFaults(name);
    },
  };
}

function batchesOfFirst({ simulator }: Scene) {
  const isOfFirst = (metadata: unknown): boolean =>
    (metadata as { chunk: string }).chunk === FIRST_CHUNK;
  return simulator.controls.batches().filter(({ metadata }) => isOfFirst(metadata));
}

/** Of the first line's model. */
function requestsOfFirst({ seed, lines }: Scene): number {
  const models = lines.map((line) => (JSON.parse(line) as { body: { model: string } }).body.model);
  const own = models.filter((model) => model === models[0]);
  return Math.min(requestsPerChunk(seed), own.length);
}

function isUploadOfFirst({ key }: Call): boolean {
  return key.startsWith('upload ') && key.includes(FIRST_CHUNK);
}
