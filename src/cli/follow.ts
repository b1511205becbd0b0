/** Works on a job in this process and shows how it goes, until it is over or people leave. */

import type { House, Store } from '../compose.ts';
import type { JobId } from '../domain/ids.ts';
import { invariant } from '../domain/errors.ts';
import type { JobState } from '../domain/job.ts';
import type { RunningWorkers } from '../service/workers.ts';
import type { ExitCode } from './exit.ts';
import { EXIT } from './exit.ts';
import { conclude, sayAnew, sayDeclined, sayHold, sayPlan } from './conclude.ts';
import { EtaGuess, progressLine, progressText, sumProgress } from './progress.ts';
import type { ProgressSums } from './progress.ts';
import { listenForLeaving } from './leaving.ts';
import type { Terminal } from './terminal.ts';

/** Looks at the journal and the board for people. */
const LOOK_MS = 250;

/** Lines for logs come this often at first, and more rarely later: a tenth of the time so far. */
const TEXT_MIN_MS = 1_000;
const TEXT_MAX_MS = 60_000;

/** How long steps of other jobs may go on when ours is over: what they leave is done again. */
const PARTING_MS = 3_000;

/** How long a finished job's cleaning is waited for before it is left to the next process. */
const CLEANING_MS = 20_000;

/** A longer cleaning is explained. */
const QUIET_CLEANING_MS = 2_000;

export interface Following {
  readonly store: Store;
  readonly house: House;
  readonly terminal: Terminal;
  /** Where the result goes; null: it stays in the data directory. */
  readonly outPath: string | null;
  /** The command that goes on with the job. */
  readonly again: string;
  /** Asked between planning and sending, for a job that waits for it. */
  readonly confirm: (signal: AbortSignal) => Promise<boolean>;
}

/** Resolves to the exit code. */
export async function followJob(job: JobId, following: Following): Promise<ExitCode> {
  const { house, terminal } = following;
  const leaving = listenForLeaving(terminal);
  let workers: RunningWorkers | null = null;
  try {
    await resumeHeld(job, following);
    workers = await house.start(['plan']);
    const planned = await waitWhile(
      job,
      following,
      leaving.signal,
      (state) => state.status === 'created',
    );
    await workers.stop();
    if (leaving.signal.aborted) return detached(following);
    sayPlan(planned, terminal);
    if (isUnconfirmed(planned)) {
      if (!(await following.confirm(leaving.signal)))
        return sayDeclined(planned, following.again, terminal);
      await following.store.jobs.resume(job);
    }
    workers = await house.start();
    const state = await watch(job, following, leaving.signal);
    if (leaving.signal.aborted) return detached(following);
    const code = await end(job, state, following, leaving.signal);
    await workers.stop(PARTING_MS);
    workers = null;
    return code;
  } finally {
    await workers?.stop();
    leaving.done();
  }
}

/** The same command on a held job means: go on, unless its brake would hold it at once. */
async function resumeHeld(job: JobId, { store, house }: Following): Promise<void> {
  const state = await store.views.job(job);
  if (state?.intent.kind !== 'hold' || state.intent.code === 'unconfirmed') return;
  const braked = state.intent.code === 'max_errors' && (await house.brake.isPassed(job));
  if (!braked) await store.jobs.resume(job);
}

function isUnconfirmed({ status, intent }: JobState): boolean {
  return status === 'planned' && intent.kind === 'hold' && intent.code === 'unconfirmed';
}

/** Shows progress until there is nothing to wait for. */
async function watch(job: JobId, following: Following, signal: AbortSignal): Promise<JobState> {
  const { house, terminal, store } = following;
  const eta = new EtaGuess();
  const startMs = store.clock.monotonicMs();
  let shown = '';
  let dueMs = startMs;
  return waitWhile(job, following, signal, async (state) => {
    if (state.status !== 'planned') return false;
    const { counts } = state.plan;
    const chunks = await house.tools.board.progress(job).catch(() => new Map());
    const sums = sumProgress(chunks.values(), counts.lines - counts.blank);
    if (state.intent.kind === 'hold' && !hasLiveBatches(sums)) return false;
    const nowMs = store.clock.monotonicMs();
    terminal.bar(progressLine(sums, eta.at(nowMs, sums.done, sums.total), terminal.columns));
    const text = progressText(sums);
    if (text !== shown && nowMs >= dueMs) {
      if (!terminal.isInteractive) terminal.say(text);
      terminal.event('progress', progressFields(sums));
      shown = text;
      dueMs = nowMs + Math.min(TEXT_MAX_MS, Math.max(TEXT_MIN_MS, (nowMs - startMs) / 10));
    }
    return true;
  });
}

/** Waits while the condition holds for the job's state; resolves to the state then. */
async function waitWhile(
  job: JobId,
  { store }: Following,
  signal: AbortSignal,
  holds: (state: JobState) => boolean | Promise<boolean>,
): Promise<JobState> {
  for (;;) {
    const state = await store.views.job(job);
    invariant(state !== null, `${job} is in the store`);
    if (signal.aborted || !(await holds(state))) return state;
    await store.clock.sleep(LOOK_MS, signal);
  }
}

async function end(
  job: JobId,
  state: JobState,
  following: Following,
  signal: AbortSignal,
): Promise<ExitCode> {
  if (state.status === 'planned') return sayHold(state, following.again, following.terminal);
  const { outPath, again, terminal } = following;
  const code = await conclude(state, following.store, outPath, terminal);
  if (outPath !== null) sayAnew(state, again, terminal);
  await waitForCleaning(job, following, signal);
  return code;
}

/** Files at the provider cost nothing: what cannot be deleted soon is the next process's. */
async function waitForCleaning(
  job: JobId,
  following: Following,
  signal: AbortSignal,
): Promise<void> {
  const { store, terminal } = following;
  const startMs = store.clock.monotonicMs();
  let isSaid = false;
  await waitWhile(job, following, signal, (state) => {
    const elapsedMs = store.clock.monotonicMs() - startMs;
    if (state.status !== 'merged' || elapsedMs > CLEANING_MS) return false;
    if (elapsedMs > QUIET_CLEANING_MS && !isSaid) {
      terminal.say('  deleting the files at the provider (Ctrl-C leaves them to the next run) …');
      isSaid = true;
    }
    return true;
  });
}

function detached({ terminal, again }: Following): ExitCode {
  terminal.event('detached', {});
  terminal.warn(`Detached: nothing was cancelled. To go on:\n  ${again}`);
  return EXIT.detached;
}

function hasLiveBatches(sums: ProgressSums): boolean {
  const quiet = new Set(['waiting', 'held', 'uploaded', 'settled']);
  return [...sums.phases.keys()].some((phase) => !quiet.has(phase));
}

function progressFields(sums: ProgressSums): Record<string, unknown> {
  const { total, done, failed, phases, reasons } = sums;
  return {
    total,
    done,
    failed,
    phases: Object.fromEntries(phases),
    waiting: Object.fromEntries(reasons),
  };
}
