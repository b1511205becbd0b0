/** Rows about the network between the program and its provider. */

import { giveBack, takeAway } from '../names.ts';
import {
  ENOUGH_FAILURES,
  failuresInARow,
  LONG_WAITS,
  notGrowing,
  WITH_LONG_WAITS,
} from '../pauses.ts';
import type { Row, Scene } from '../row.ts';
import { few } from '../row.ts';
import type { Call } from '../workshop.ts';
import { TIMEOUTS } from '../workshop.ts';

const CREATE = /^POST \/v1\/batches HTTP/;
const UPLOAD = /^POST \/v1\/files HTTP/;
const DOWNLOAD = /^GET \/v1\/files\/[^/]+\/content HTTP/;
const SMALL_CALL = /^GET \/v1\/(?:batches|files)(?:\/[^/]+)? HTTP/;
const ANY = /^/;

/** Batches validate until one of them is cancelled, as those of a real provider take minutes. */
const UNHURRIED: Pick<Row, 'faults' | 'world' | 'act'> = {
  faults: () => [{ name: 'stuck_validating' }],
  world: { windowSeconds: 864_000 },
  act: async ({ simulator, until }: Scene) => {
    const isStopped = (status: string): boolean => status.startsWith('cancel');
    await until(() => simulator.controls.batches().some(({ status }) => isStopped(status)));
    simulator.controls.clearFaults('stuck_validating');
  },
};

export const WIRE_ROWS: readonly Row[] = [
  {
    name: 'connection refused',
    fault: 'connections are refused for a while',
    outcome: 'nothing was sent for certain: asked again with growing pauses',
    maxAttempts: 1,
    settings: WITH_LONG_WAITS,
    act: async ({ wire, calls, simulator, until }) => {
      for (const created of [0, 2]) {
        await until(() => simulator.ledger.totals().batchesCreated >= created);
        await wire.goAway();
        const since = calls.length;
        await until(() => isEnough(calls.slice(since), isRefused));
        await wire.comeBack();
      }
    },
    meets: /ECONNREFUSED/,
    check: (scene) => notGrowing(scene, isRefused, LONG_WAITS, isAnswered),
  },
  {
    name: 'DNS fails',
    fault: 'the provider’s name cannot be resolved for a while',
    outcome: 'nothing was sent for certain: asked again with growing pauses',
    maxAttempts: 1,
    settings: WITH_LONG_WAITS,
    act: async ({ host, calls, until }) => {
      takeAway(host);
      await until(() => isEnough(calls, isUnresolved));
      giveBack(host);
    },
    meets: /ENOTFOUND/,
    check: (scene) => notGrowing(scene, isUnresolved, LONG_WAITS, isAnswered),
  },
  {
    name: 'reset before a request arrives',
    fault: 'the connection is reset before the request arrives',
    outcome: 'asked again; a create is looked for, given up and sent anew; one batch',
    wire: (seed) => [
      { kind: 'reset_before', match: CREATE, times: 1 },
      { kind: 'reset_before', match: UPLOAD, times: few(seed) },
      { kind: 'reset_before', match: SMALL_CALL, times: few(seed) },
    ],
    maxAttempts: 1,
  },
  {
    name: 'reset after a create arrived',
    fault: 'the connection is reset after the create arrived',
    outcome: 'looked for, found, adopted; one batch',
    wire: (seed) => [{ kind: 'reset_after', match: CREATE, times: few(seed) }],
    maxAttempts: 1,
    tells: ['batch_adopted'],
  },
  {
    name: 'reset after any request arrived',
    fault: 'the connection is reset after any request arrived',
    outcome: 'asked again; what was left over is deleted',
    wire: (seed) => [
      { kind: 'reset_after', match: UPLOAD, times: few(seed) },
      { kind: 'reset_after', match: DOWNLOAD, times: few(seed) },
      { kind: 'reset_after', match: ANY, times: 4 },
    ],
    maxAttempts: 1,
  },
  {
    name: 'half a request',
    fault: 'only half of a request arrives',
    outcome: 'asked again; a create is looked for, given up and sent anew; one batch',
    wire: (seed) => [
      { kind: 'half_request', match: CREATE, times: 1 },
      { kind: 'half_request', match: UPLOAD, times: few(seed) },
    ],
    maxAttempts: 1,
  },
  {
    name: 'half an answer',
    fault: 'an answer ends in the middle of its body',
    outcome: 'asked again; a create is looked for and adopted; one batch',
    wire: (seed) => [
      { kind: 'half_answer', match: CREATE, times: few(seed) },
      { kind: 'half_answer', match: UPLOAD, times: few(seed) },
      { kind: 'half_answer', match: DOWNLOAD, times: few(seed) },
      { kind: 'half_answer', match: SMALL_CALL, times: few(seed) },
    ],
    maxAttempts: 1,
    tells: ['batch_adopted'],
  },
  {
    name: 'half a head',
    fault: 'an answer ends in the middle of its head',
    outcome: 'asked again; a create is looked for and adopted; one batch',
    wire: (seed) => [
      { kind: 'head_cut', match: CREATE, times: few(seed) },
      { kind: 'head_cut', match: ANY, times: 3 + few(seed) },
    ],
    maxAttempts: 1,
  },
  {
    name: 'answers in crumbs',
    fault: 'answers that come byte by byte',
    outcome: 'read to their end',
    wire: (seed) => [{ kind: 'slow', match: ANY, times: 10 * few(seed) }],
    maxAttempts: 1,
  },
  {
    name: 'an answer that stops',
    fault: 'an answer stops in the middle, and the connection stays open',
    outcome: 'given up after its deadline, asked again; a create is adopted; one batch',
    wire: (seed) => [
      {
        kind: 'stall',
        match: [CREATE, UPLOAD, DOWNLOAD, SMALL_CALL][seed % 4] ?? ANY,
        times: few(seed >> 2),
      },
    ],
    maxAttempts: 1,
  },
  {
    name: 'an answer after the deadline',
    fault: 'an answer that comes after its deadline',
    outcome: 'asked again; a create is adopted; one batch',
    wire: (seed) => [
      {
        kind: 'late',
        match: [CREATE, UPLOAD, SMALL_CALL][seed % 3] ?? ANY,
        times: few(seed >> 2),
        delayMs: TIMEOUTS.callMs + 50,
      },
    ],
    maxAttempts: 1,
    meets: /ETIMEDOUT/,
  },
  {
    name: 'an upload delivered twice',
    fault: 'a middlebox delivers an upload twice',
    outcome: 'one of the files is used; the other is deleted',
    wire: (seed) => [{ kind: 'twice', match: UPLOAD, times: few(seed) }],
    maxAttempts: 1,
  },
  {
    name: 'a create delivered twice',
    fault: 'a middlebox delivers a create twice: two batches over one file',
    outcome: 'the other is found at the first look and cancelled; alert `stray_batch`',
    mixes: false,
    wire: () => [{ kind: 'twice', match: CREATE, times: 1 }],
    ...UNHURRIED,
    maxAttempts: 1,
    tells: ['stray_batch'],
    excuses: / has the batches /,
  },
  {
    name: 'a create delivered twice without an answer',
    fault: 'a middlebox delivers a create twice and loses the answer: two batches match',
    outcome: 'the older one is adopted; the other is cancelled before it costs anything',
    mixes: false,
    wire: () => [{ kind: 'twice_unanswered', match: CREATE, times: 1 }],
    ...UNHURRIED,
    maxAttempts: 1,
    tells: ['batch_adopted'],
    excuses: / has the batches /,
  },
  {
    name: 'a create delivered long after it was given up',
    fault: 'a create arrives after it was looked for, given up and sent anew',
    outcome: 'its input file is gone: the provider fails it, and nobody pays',
    mixes: false,
    wire: () => [{ kind: 'held', match: CREATE, times: 1 }],
    maxAttempts: 1,
    act: async ({ wire, events, until, simulator }) => {
      await until(() => wire.holds && events.includes('abandoned'));
      wire.release();
      await until(() => simulator.controls.batches().some(({ status }) => status === 'failed'));
    },
  },
];

/** Lists are asked for by every chunk, each with waits of its own. */
function isRefused({ key, weather }: Call): boolean {
  return !key.startsWith('list') && weather?.includes('ECONNREFUSED') === true;
}

function isUnresolved({ key, weather }: Call): boolean {
  return !key.startsWith('list') && weather !== null && /ENOTFOUND|EAI_AGAIN/.test(weather);
}

/** A provider that is there again for one call is there for all. */
function isAnswered({ weather }: Call): boolean {
  return weather === null;
}

function isEnough(calls: readonly Call[], fails: (call: Call) => boolean): boolean {
  return failuresInARow({ calls }, fails) >= ENOUGH_FAILURES;
}
