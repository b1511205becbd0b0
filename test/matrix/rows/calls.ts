/** Rows about single calls: what a provider answers instead of doing what it was asked. */

import type { FaultName } from '../../../src/simulator/faults/names.ts';
import {
  calledInPause,
  LONG_WAITS,
  notGrowing,
  repeatedEarly,
  WITH_LONG_WAITS,
} from '../pauses.ts';
import type { Row, Scene } from '../row.ts';
import { few } from '../row.ts';
import type { Call } from '../workshop.ts';

/** Long enough to tell from every other wait of a case. */
const RETRY_AFTER_MS = 800;

const LOST_ANSWERS = [
  ['timeout', 'never answers'],
  ['reset', 'resets the connection'],
  ['500', 'answers 500'],
  ['html_502', 'answers 502 with a page of HTML'],
  ['409', 'answers 409'],
  ['truncated_200', 'cuts its 200 in the middle'],
] as const;

export const CALL_ROWS: readonly Row[] = [
  ...(['upload', 'create', 'retrieve', 'download'] as const).map(limited),
  ...LOST_ANSWERS.map(([name, words]): Row => ({
    name: `create does its work and ${name}`,
    fault: `the provider makes the batch and ${words}`,
    outcome: 'looked for, found, adopted; one batch',
    faults: (seed) => [{ name: `create_${name}_after_work`, times: few(seed) }],
    maxAttempts: 1,
    tells: ['batch_adopted'],
    check: noFurtherBatch,
  })),
  ...LOST_ANSWERS.map(([name, words]): Row => ({
    name: `upload does its work and ${name}`,
    fault: `the provider takes the file and ${words}`,
    outcome: 'uploaded again; the file without a batch is deleted',
    faults: (seed) => [{ name: `upload_${name}_after_work`, times: few(seed) }],
    maxAttempts: 1,
    check: noFurtherBatch,
  })),
  {
    name: 'any call does its work and its answer is lost',
    fault: 'any call does its work, and its answer is lost',
    outcome: 'asked again, a create looked for; one batch each',
    faults: (seed) => [
      { name: 'reset_after_work', times: 4 + few(seed), rate: 0.5 },
      { name: '500_after_work', times: few(seed), rate: 0.5 },
      { name: 'truncated_200_after_work', times: few(seed), rate: 0.5 },
    ],
  },
  {
    name: 'a create that is lost on its way',
    fault: 'a create gets a 500, a page of HTML or a reset and made no batch',
    outcome: 'looked for during the settle window, given up with its file, sent anew; one batch',
    faults: (seed) => [{ name: lostBefore(seed), times: 1 }],
    maxAttempts: 1,
    check: noFurtherBatch,
  },
  {
    name: 'any call fails',
    fault: 'any call gets 500, 502, 409 or a reset and did nothing',
    outcome: 'asked again, with growing pauses',
    faults: (seed) => [
      { name: 'server_error_500', times: 3 + few(seed), rate: 0.5 },
      { name: 'html_502', times: few(seed), rate: 0.5 },
      { name: 'reset', times: few(seed), rate: 0.5 },
      { name: 'retrieve_409', times: few(seed) },
      // So many that one chunk's upload fails several times in a row.
      { name: 'upload_server_error_500', times: 25 },
    ],
    settings: WITH_LONG_WAITS,
    check: (scene) => notGrowing(scene, failing('upload'), LONG_WAITS),
  },
  {
    name: 'calls that hang',
    fault: 'a call never gets an answer',
    outcome: 'given up after its deadline, asked again; a create is looked for',
    faults: (seed) => [{ name: hangingCall(seed), times: 1 }],
    meets: /ETIMEDOUT/,
  },
  {
    name: 'file not found right after its upload',
    fault: '400 "cannot find file" right after the upload',
    outcome: 'the create is tried again with growing pauses; no attempt is counted',
    faults: (seed) => [
      { name: 'file_not_found_right_after_upload', times: few(seed), calls: 4 + (seed % 4) },
    ],
    settings: WITH_LONG_WAITS,
    maxAttempts: 1,
    check: (scene, ending) => [
      ...noFurtherBatch(scene, ending),
      ...notGrowing(scene, failing('createBatch'), LONG_WAITS),
    ],
  },
  {
    name: 'file not found for good',
    fault: '400 "cannot find file" that does not end',
    outcome: 'uploaded again; no attempt is counted',
    faults: () => [{ name: 'file_not_found_right_after_upload', times: 1, calls: 1_000 }],
    settings: WITH_LONG_WAITS,
    maxAttempts: 1,
    check: (scene, { chunks }) => [
      ...noFurtherBatch(scene, { chunks }),
      ...notGrowing(scene, failing('createBatch'), LONG_WAITS),
      ...exactly('uploads', scene.simulator.ledger.totals().filesUploaded, chunks + 1),
    ],
  },
  ...(['upload', 'create', 'retrieve', 'download'] as const).flatMap((operation): Row[] => [
    held(`${operation}_unauthorized_401`, `401 on ${operation}`, 'unauthorized'),
    held(`${operation}_forbidden_403`, `403 on ${operation}`, 'unauthorized'),
    held(
      `${operation}_insufficient_quota`,
      `insufficient_quota on ${operation}`,
      'insufficient_quota',
    ),
  ]),
];

/** The provider's calls that the steps of one queue make. */
const QUEUES = {
  upload: ['upload', 'createBatch'],
  create: ['upload', 'createBatch'],
  retrieve: ['retrieveBatch', 'listBatches'],
  download: ['download'],
};

function limited(operation: 'upload' | 'create' | 'retrieve' | 'download'): Row {
  return {
    name: `429 on ${operation}`,
    fault: `429 with Retry-After on ${operation}`,
    outcome: 'asked again after that time, not before; its queue waits; no attempt is counted',
    // Some chunks come to this call while others wait for it.
    settings: { BATCHWRIGHT_MAX_LIVE_BATCHES: '2' },
    faults: (seed) => [
      {
        name: `${operation}_rate_limit_429`,
        times: few(seed),
        retryAfterSeconds: RETRY_AFTER_MS / 1_000,
      },
    ],
    maxAttempts: 1,
    check: (scene, ending) => [
      ...noFurtherBatch(scene, ending),
      ...repeatedEarly(scene, RETRY_AFTER_MS),
      ...calledInPause(scene, QUEUES[operation], RETRY_AFTER_MS),
    ],
  };
}

function held(name: FaultName, fault: string, hold: 'unauthorized' | 'insufficient_quota'): Row {
  return {
    name: fault,
    fault,
    outcome: `the job is held (\`${hold}\`) with the provider’s words; resumed, it goes on`,
    mixes: false,
    faults: () => [{ name }],
    maxAttempts: 1,
    hold,
    check: noFurtherBatch,
  };
}

/** One batch for each chunk, however often something was tried. */
function noFurtherBatch(
  { simulator }: Pick<Scene, 'simulator'>,
  { chunks }: { chunks: number },
): string[] {
  return exactly('batches', simulator.ledger.totals().batchesExecuted, chunks);
}

function exactly(what: string, found: number, expected: number): string[] {
  return found === expected ? [] : [`${found} ${what}, not ${expected}`];
}

function failing(name: string): (call: Call) => boolean {
  return ({ key, weather }) => key.startsWith(`${name} `) && weather !== null;
}

function lostBefore(seed: number): FaultName {
  const names = ['create_server_error_500', 'create_html_502', 'create_reset'] as const;
  return names[seed % 3] ?? 'create_reset';
}

function hangingCall(seed: number): FaultName {
  const names = [
    'upload_hang',
    'create_hang',
    'retrieve_hang',
    'download_hang',
    'file_delete_hang',
    'file_retrieve_hang',
  ] as const;
  return names[seed % names.length] ?? 'create_hang';
}
