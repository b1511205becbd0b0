/** Works on a job in this process and shows how it goes, until it is over or people leave. */

import type { House, Store } from '../compose.ts';
import type { JobId } from '../domain/ids.ts';
import { Refusal } from '../domain/errors.ts';
import type { JobState } from '../domain/job.ts';
import type { RunningWorkers } from '../service/workers.ts';
import type { ExitCode } from './exit.ts';
import { EXIT } from './exit.ts';
import { conclude, sayAnew, sayDeclined, sayHold, sayPlan } from './conclude.ts';
import { listenForLeaving } from './leaving.ts';
import { ProgressShow } from './progress-show.ts';
import { sumProgress } from './progress.ts';
import type { ProgressSums } from './progress.ts';
import type { Terminal } from './terminal.ts';

/** Looks at the journal and the board for people. */
const LOOK_MS = 250;

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
  /** Asked before anything is sent, for a job that waits for it. */
  readonly confirm: (signal: AbortSignal) => Promise<boolean>;
  /** Batches are there already: they are seen to first, and asked for is only what they leave. */
  readonly asksLate?: boolean;
  /** Called when the job has its plan. */
  readonly afterPlan?: (planned: JobState) => Promise<void>;
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
    await following.afterPlan?.(planned);
    const asksNow = following.asksLate !== true;
    if (asksNow && !(await isAgreed(planned, following, leaving.signal))) {
      return sayDeclined(planned, following.again, terminal);
    }
    workers = await house.start();
    let state = await watch(job, following, leaving.signal);
    if (!asksNow && !leaving.signal.aborted && isUnconfirmed(state)) {
      if (!(await isAgreed(state, following, leaving.signal))) {
        return sayDeclined(state, following.again, terminal);
      }
      state = await watch(job, following, leaving.signal);
    }
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

/** Asks where the job waits for an answer, and lets it go on with a yes. */
async function isAgreed(
  state: JobState,
  { confirm, store }: Following,
  signal: AbortSignal,
): Promise<boolean> {
  if (!isUnconfirmed(state)) return true;
  if (!(await confirm(signal))) return false;
  await store.jobs.resume(state.spec.id);
  return true;
}

function isUnconfirmed({ status, intent }: JobState): boolean {
  return status === 'planned' && intent.kind === 'hold' && intent.code === 'unconfirmed';
}

/** Shows progress until there is nothing to wait for. */
async function watch(job: JobId, following: Following, signal: AbortSignal): Promise<JobState> {
  const { house, terminal } = following;
  const show = new ProgressShow(terminal);
  return waitWhile(job, following, signal, async (state) => {
    if (state.status !== 'planned') return false;
    const { counts } = state.plan;
    const chunks = await house.tools.board.progress(job).catch(() => new Map());
    const sums = sumProgress(chunks.values(), counts.lines - counts.blank);
    if (state.intent.kind === 'hold' && isStuck(sums)) return false;
    show.show(sums);
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
    if (state === null) throw gone(job);
    if (signal.aborted || !(await holds(state))) return state;
    await store.clock.sleep(LOOK_MS, signal);
  }
}

/** Pruned by another process, or the data directory was removed under our feet. */
export function gone(job: JobId): Refusal {
  const way =
    'Where it was not pruned on purpose, bring the data directory back from a backup before ' +
    'anything is run again: what was sent has been paid.';
  return new Refusal('unknown_job', `${job} is not in the data directory any more. ${way}`);
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

/** Nothing goes on by itself: no batch is alive, and not every chunk is settled. */
function isStuck({ phases }: ProgressSums): boolean {
  const quiet = new Set(['waiting', 'held', 'uploaded', 'settled']);
  const isMerging = phases.size === 1 && phases.has('settled');
  return !isMerging && [...phases.keys()].every((phase) => quiet.has(phase));
}
