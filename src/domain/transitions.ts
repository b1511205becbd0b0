/**
 * The only place where a state becomes another.
 *
 *   job     created ──planned──▶ planned ──merged──▶ merged ──cleaned──▶ done
 *              └─────refused───▶ refused
 *
 *   chunk            ┌──────────── collected (again) ─────────────┐
 *                    ▼                                            │
 *                 waiting ─uploaded▶ uploaded ─submitting▶ submitting ─submitted▶ submitted
 *                    ▲  ▲                │  ▲                 │ │                    │ ended
 *                    │  └── file_lost ───┘  └─── unsent ──────┘ │ abandoning         ▼
 *                    └───────── abandoned ◀── abandoning ◀──────┘                  ended
 *                                                  └─ submitted (found after all) ▶  │ collected
 *                                                                                    ▼ (settle)
 *                 waiting (fresh) ── taken_over ─────────────▶ submitted
 *                 uploaded ── stray_found ───────────────────▶ waiting
 *                 waiting ── stray_collected (its output lost) ───────────────▶  settling
 *                 waiting, uploaded ── intended: cancel ──────────────────────▶  settling
 *                                                                                    │ settled
 *                                                                                    ▼
 *                                                                                 settled
 *
 * An event that does not fit its state is refused with null: state only moves forward, and a
 * stale decision changes nothing.
 */

import type { ChunkEvent, ChunkState } from './chunk.ts';
import { JOB_CANCELLED } from './chunk.ts';
import type { Intent, JobEvent, JobState } from './job.ts';

const STRAY_FIRST = 'another batch over these requests comes first';

/** The job after the event, or null where the event does not fit. */
export function applyToJob(state: JobState | null, event: JobEvent): JobState | null {
  if (state === null) return event.type === 'created' ? createdJob(event) : null;
  switch (event.type) {
    case 'created':
      return null;
    case 'refused':
      return state.status === 'created'
        ? { ...jobCommon(state), status: 'refused', refusal: event.refusal }
        : null;
    case 'planned':
      return state.status === 'created'
        ? { ...jobCommon(state), status: 'planned', plan: event.plan }
        : null;
    case 'adjusted':
      return isOpen(state) ? { ...state, options: event.options } : null;
    case 'wished':
      return wishedJob(state, event);
    case 'spread':
      return state.status === 'planned' && event.revision > state.spreadRevision
        ? { ...state, spreadRevision: event.revision }
        : null;
    case 'merged':
      return state.status === 'planned'
        ? { ...jobCommon(state), status: 'merged', plan: state.plan, result: event.result }
        : null;
    case 'cleaned':
      return state.status === 'merged'
        ? { ...state, status: 'done', filesLeft: event.filesLeft }
        : null;
  }
}

/** The chunk after the event, or null where the event does not fit. */
export function applyToChunk(state: ChunkState, event: ChunkEvent): ChunkState | null {
  switch (event.type) {
    case 'taken_over':
      return takenOver(state, event);
    case 'uploaded':
      return uploaded(state, event);
    case 'submitting':
      if (state.status !== 'uploaded' || state.intent.kind !== 'run') return null;
      return {
        ...chunkCommon(state),
        status: 'submitting',
        attempt: { ...state.attempt, attemptId: event.attemptId },
      };
    case 'unsent':
      return unsent(state, event);
    case 'file_lost':
      if (state.status !== 'uploaded' || state.attempt.upload.fileId !== event.fileId) return null;
      return {
        ...chunkCommon(state),
        status: 'waiting',
        pauseMs: event.pauseMs,
        reason: event.reason,
      };
    case 'submitted':
      return submitted(state, event);
    case 'abandoning':
      if (state.status !== 'submitting' || state.attempt.attemptId !== event.attemptId) return null;
      return {
        ...chunkCommon(state),
        status: 'abandoning',
        attempt: state.attempt,
        account: event.account,
      };
    case 'abandoned':
      return abandoned(state, event);
    case 'ended':
      if (state.status !== 'submitted' || event.batch.batchId !== state.batchId) return null;
      return { ...chunkCommon(state), status: 'ended', attempt: state.attempt, batch: event.batch };
    case 'collected':
      return collected(state, event);
    case 'drained':
      if (state.status !== 'waiting') return null;
      return { ...chunkCommon(state), status: 'settling', close: event.close };
    case 'stray_found':
    case 'stray_collected':
      return stray(state, event);
    case 'intended':
      return intended(state, event.intent);
    case 'settled':
      if (state.status !== 'settling' || state.strays.length > 0) return null;
      return { ...chunkCommon(state), status: 'settled', part: event.part };
  }
}

function createdJob(event: Extract<JobEvent, { type: 'created' }>): JobState {
  const { spec, options, unconfirmed } = event;
  const common = { status: 'created', spec, options, spreadRevision: 0 } as const;
  if (!unconfirmed) return { ...common, intent: { kind: 'run', revision: 0 } };
  const message = 'The plan is not confirmed yet.';
  return { ...common, intent: { kind: 'hold', revision: 1, code: 'unconfirmed', message } };
}

function jobCommon(state: JobState) {
  const { spec, options, intent, spreadRevision } = state;
  return { spec, options, intent, spreadRevision };
}

function isOpen(state: JobState): boolean {
  return state.status === 'created' || state.status === 'planned';
}

/** A cancelled job stays cancelled; any other wish may follow any other. */
function wishedJob(state: JobState, event: Extract<JobEvent, { type: 'wished' }>): JobState | null {
  if (!isOpen(state) || state.intent.kind === 'cancel') return null;
  return { ...state, intent: { ...event.wish, revision: state.intent.revision + 1 } };
}

function chunkCommon(state: ChunkState) {
  const { intent, nextAttempt, executed, recuts, pauses } = state;
  const { collected, abandoned, strays, files, tally } = state;
  return {
    intent,
    nextAttempt,
    executed,
    recuts,
    pauses,
    collected,
    abandoned,
    strays,
    files,
    tally,
  };
}

/** Only before anything of the chunk was sent by us. */
function takenOver(
  state: ChunkState,
  event: Extract<ChunkEvent, { type: 'taken_over' }>,
): ChunkState | null {
  const { attempt, batchId, strays, files } = event;
  if (state.status !== 'waiting' || state.nextAttempt !== 1) return null;
  return {
    ...chunkCommon(state),
    status: 'submitted',
    attempt,
    batchId,
    nextAttempt: attempt.number + 1,
    strays: [...state.strays, ...strays],
    files: [...state.files, ...files],
  };
}

/** Never beside a stray: what that answered must not be sent again. */
function uploaded(
  state: ChunkState,
  event: Extract<ChunkEvent, { type: 'uploaded' }>,
): ChunkState | null {
  if (state.status !== 'waiting' || event.attempt.number !== state.nextAttempt) return null;
  if (state.strays.length > 0) return null;
  return {
    ...chunkCommon(state),
    status: 'uploaded',
    attempt: event.attempt,
    pauseMs: 0,
    reason: '',
    nextAttempt: state.nextAttempt + 1,
    files: [...state.files, event.attempt.upload.fileId],
  };
}

/** Certainly no batch was made: the upload may be submitted later, if no stray came up. */
function unsent(
  state: ChunkState,
  event: Extract<ChunkEvent, { type: 'unsent' }>,
): ChunkState | null {
  if (state.status !== 'submitting' || state.attempt.attemptId !== event.attemptId) return null;
  const common = { ...chunkCommon(state), pauses: state.pauses + 1 };
  if (state.intent.kind === 'cancel')
    return { ...common, status: 'settling', close: JOB_CANCELLED };
  const { number, upload } = state.attempt;
  const { pauseMs, reason } = event;
  if (state.strays.length > 0) return { ...common, status: 'waiting', pauseMs, reason };
  return { ...common, status: 'uploaded', attempt: { number, upload }, pauseMs, reason };
}

/** A batch that was called a stray already stays one. */
function submitted(
  state: ChunkState,
  event: Extract<ChunkEvent, { type: 'submitted' }>,
): ChunkState | null {
  if (state.status !== 'submitting' && state.status !== 'abandoning') return null;
  const { attemptId, batchId } = event;
  if (state.attempt.attemptId !== attemptId) return null;
  if (state.strays.some((stray) => stray.batchId === batchId)) return null;
  return { ...chunkCommon(state), status: 'submitted', attempt: state.attempt, batchId };
}

function abandoned(
  state: ChunkState,
  event: Extract<ChunkEvent, { type: 'abandoned' }>,
): ChunkState | null {
  if (state.status !== 'abandoning' || state.attempt.attemptId !== event.attemptId) return null;
  const { number, attemptId, upload } = state.attempt;
  const given = { number, attemptId, fileId: upload.fileId, fileCreatedAtMs: upload.createdAtMs };
  const common = {
    ...chunkCommon(state),
    abandoned: [...state.abandoned, given],
    pauses: state.pauses + 1,
  };
  return state.intent.kind === 'cancel'
    ? { ...common, status: 'settling', close: JOB_CANCELLED }
    : { ...common, status: 'waiting', pauseMs: event.pauseMs, reason: 'the create was lost' };
}

function collected(
  state: ChunkState,
  event: Extract<ChunkEvent, { type: 'collected' }>,
): ChunkState | null {
  if (state.status !== 'ended' || event.attempt.number !== state.attempt.number) return null;
  const { burned, next } = event;
  const common = {
    ...chunkCommon(state),
    executed: state.executed + (burned === 'executed' ? 1 : 0),
    recuts: state.recuts + (burned === 'recut' ? 1 : 0),
    pauses: burned === 'pause' ? state.pauses + 1 : 0,
    collected: [...state.collected, event.attempt],
    files: [...state.files, ...event.files],
    tally: event.tally,
  };
  if (next.kind === 'settle') return { ...common, status: 'settling', close: next.close };
  if (state.intent.kind === 'cancel')
    return { ...common, status: 'settling', close: JOB_CANCELLED };
  const { kind: _kind, ...why } = next;
  return { ...common, status: 'waiting', ...why };
}

function stray(
  state: ChunkState,
  event: Extract<ChunkEvent, { type: 'stray_found' | 'stray_collected' }>,
): ChunkState | null {
  if (state.status === 'settled') return null;
  const batchId = event.type === 'stray_found' ? event.stray.batchId : event.attempt.batchId;
  const known = state.strays.some((one) => one.batchId === batchId);
  if (state.status === 'submitted' && state.batchId === batchId) return null;
  if (state.status === 'ended' && state.batch.batchId === batchId) return null;
  if (event.type === 'stray_found') {
    if (known || state.collected.some((one) => one.batchId === batchId)) return null;
    const strays = [...state.strays, event.stray];
    if (state.status !== 'uploaded') return { ...state, strays };
    return { ...chunkCommon(state), strays, status: 'waiting', pauseMs: 0, reason: STRAY_FIRST };
  }
  if (!known) return null;
  const gained = {
    strays: state.strays.filter((one) => one.batchId !== batchId),
    collected: [...state.collected, event.attempt],
    files: [...state.files, ...event.files],
    tally: event.tally,
  };
  if (state.status !== 'waiting' || event.close === null) return { ...state, ...gained };
  return { ...chunkCommon(state), ...gained, status: 'settling', close: event.close };
}

function intended(state: ChunkState, intent: Intent): ChunkState | null {
  if (state.status === 'settled' || intent.revision <= state.intent.revision) return null;
  const common = { ...chunkCommon(state), intent };
  const unsentYet = state.status === 'waiting' || state.status === 'uploaded';
  if (intent.kind === 'cancel' && unsentYet) {
    return { ...common, status: 'settling', close: JOB_CANCELLED };
  }
  if (state.status !== 'waiting') return { ...state, intent };
  const { pauseMs, reason } = state;
  return { ...common, status: 'waiting', pauseMs, reason };
}
