/**
 * Tells submitters that their jobs are over: a loop in every worker process. Each try is claimed
 * by one process; a process that dies in its try costs the wait until the next one.
 */

import { createHash } from 'node:crypto';
import type { CallbackSchedule } from '../domain/callback.ts';
import { callbackBody, callbackId, callbackVerdict, callbackWaitMs } from '../domain/callback.ts';
import type { JobId, TenantId } from '../domain/ids.ts';
import type { JobState } from '../domain/job.ts';
import { tenantOf } from '../domain/job.ts';
import type { CallbackAnswer, CallbackSender } from '../ports/callback-sender.ts';
import type { Clock } from '../ports/clock.ts';
import type { Notice, Notices } from '../ports/notices.ts';
import { bounded } from '../stages/bounded.ts';
import { concurrently } from '../stages/concurrently.ts';
import type { Alerts } from './alerts.ts';
import type { CallbackOutcome, Callbacks, PendingCallback } from './callbacks.ts';
import type { JobViews } from './job-views.ts';

/** Between two looks: what other processes noted is found so. */
const LOOK_MS = 2_000;

/** Tries under way in this process, of all tenants and of one: slow receivers keep nobody else. */
const MAX_AT_ONCE = 4;
const MAX_OF_TENANT = 2;

/** Callbacks that are read at once. */
const READS_AT_ONCE = 8;

/** Trouble that lasts is told again. */
const REMINDER_MS = 60 * 60_000;

/** The longest that another process may be at a try before its wait begins. */
const TRY_MS = 15_000;

export interface CallbackTools {
  readonly callbacks: Callbacks;
  readonly views: JobViews;
  readonly sender: CallbackSender;
  readonly alerts: Alerts;
  readonly notices: Notices;
  readonly clock: Clock;
  /** A day of tries where absent. */
  readonly schedule?: CallbackSchedule;
}

/** What this process knows of a callback; times are monotonic. */
interface Known {
  readonly tenant: TenantId;
  tries: number;
  dueMs: number;
}

/** A try under way in this process. */
interface Running {
  readonly tenant: TenantId;
  readonly done: Promise<void>;
}

export class CallbackDelivery {
  readonly #tools: CallbackTools;
  readonly #schedule: CallbackSchedule;
  readonly #known = new Map<JobId, Known>();
  readonly #running = new Map<JobId, Running>();
  #rung = new AbortController();
  #complainedMs: number | null = null;

  constructor(tools: CallbackTools) {
    this.#tools = tools;
    this.#schedule = tools.schedule ?? callbackWaitMs;
  }

  /** Looks now and again until it is stopped, which lets running tries end within `graceMs`. */
  start(): { stop(graceMs: number): Promise<void> } {
    const { callbacks, clock } = this.#tools;
    const stopping = new AbortController();
    const deafen = callbacks.onNoted(() => this.#rung.abort());
    const looking = (async () => {
      while (!stopping.signal.aborted) {
        this.#rung = new AbortController();
        await this.look().catch((error: unknown) => this.#complain(error));
        await clock.sleep(LOOK_MS, this.#rung.signal);
      }
    })();
    return {
      stop: async (graceMs) => {
        deafen();
        stopping.abort();
        this.#rung.abort();
        const over = looking.then(() => this.settled());
        await bounded(over, graceMs, clock);
      },
    };
  }

  /** Begins what is due, as far as there is room. */
  async look(): Promise<void> {
    const waiting = new Set(await this.#tools.callbacks.waiting());
    for (const id of this.#known.keys()) if (!waiting.has(id)) this.#known.delete(id);
    if (!this.#tools.sender.canSign) return this.#sayUnsigned(waiting.size);
    const unknown = [...waiting].filter((id) => !this.#known.has(id));
    await concurrently(unknown, READS_AT_ONCE, (id) => this.#meet(id));
    const nowMs = this.#tools.clock.monotonicMs();
    const due = [...this.#known].filter(
      ([id, { dueMs }]) => dueMs <= nowMs && !this.#running.has(id),
    );
    // A first try goes before the many of a receiver that is down.
    for (const [id, known] of due.toSorted(([, a], [, b]) => a.tries - b.tries)) {
      if (this.#running.size >= MAX_AT_ONCE) return;
      if (this.#runningOf(known.tenant) < MAX_OF_TENANT) this.#begin(id, known);
    }
  }

  /** Resolves when no try is under way in this process. */
  async settled(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  /** A callback that this process sees for the first time. */
  async #meet(id: JobId): Promise<void> {
    const { callbacks, clock } = this.#tools;
    const due = await this.#dueOf(id);
    if (due === null) return callbacks.forget(id);
    const { count, lastAtMs } = await callbacks.tries(id);
    const waitMs = this.#waitMs(id, count) + TRY_MS;
    // The wall clock counts only here; where it was set back the whole wait begins again.
    const goneMs = lastAtMs === null ? 0 : Math.max(0, clock.wallMs() - lastAtMs);
    const restMs = count === 0 ? 0 : Math.max(0, waitMs - goneMs);
    const tenant = tenantOf(due.state.spec);
    this.#known.set(id, { tenant, tries: count, dueMs: clock.monotonicMs() + restMs });
  }

  #begin(id: JobId, known: Known): void {
    const done = this.#attempt(id, known)
      .catch((error: unknown) => {
        known.dueMs = this.#tools.clock.monotonicMs() + TRY_MS;
        this.#complain(error);
      })
      .finally(() => {
        this.#running.delete(id);
        this.#rung.abort();
      });
    this.#running.set(id, { tenant: known.tenant, done });
  }

  async #attempt(id: JobId, known: Known): Promise<void> {
    const { callbacks, clock } = this.#tools;
    const due = await this.#dueOf(id);
    if (due === null) return callbacks.forget(id);
    const { count } = await callbacks.tries(id);
    if (count !== known.tries) {
      known.tries = count;
      known.dueMs = clock.monotonicMs() + TRY_MS + this.#waitMs(id, count);
      return;
    }
    if (count > 0 && this.#schedule(count, 0) === null) return this.#giveUp(due, count, null);
    if (!(await callbacks.claim(id, count + 1))) return;
    const answer = await this.#send(due);
    known.tries = count + 1;
    known.dueMs = clock.monotonicMs() + this.#waitMs(id, known.tries);
    const outcome = answer.kind === 'answered' ? callbackVerdict(answer.status) : 'failed';
    if (outcome !== 'failed') return this.#close(due, outcome, known.tries);
    if (this.#schedule(known.tries, 0) === null) return this.#giveUp(due, known.tries, answer);
  }

  #send({ state, pending }: Due): Promise<CallbackAnswer> {
    const { sender, clock } = this.#tools;
    return sender.send({
      url: state.spec.terms?.callbackUrl ?? '',
      id: callbackId(state, pending.event),
      atMs: clock.wallMs(),
      body: callbackBody(state, pending.event, pending.atMs),
    });
  }

  async #giveUp(due: Due, tries: number, last: CallbackAnswer | null): Promise<void> {
    const notice: Notice & { job: JobId } = {
      level: 'alert',
      code: 'callback_failed',
      message: `The callback was tried ${tries} times without success; at last: ${inWords(last)}.`,
      job: due.state.spec.id,
      chunk: null,
    };
    // Kept before the outcome is: whoever dies in between tells it once more.
    await this.#tools.alerts.keep(notice);
    this.#tools.notices.tell(notice);
    await this.#close(due, 'failed', tries);
  }

  #close({ state, pending }: Due, outcome: CallbackOutcome['outcome'], tries: number) {
    const { event } = pending;
    return this.#tools.callbacks.close(state.spec.id, { outcome, event, tries });
  }

  /** Null: the job is gone, or what is due of it was told. */
  async #dueOf(id: JobId): Promise<Due | null> {
    const state = await this.#tools.views.job(id);
    if (state === null) return null;
    const pending = await this.#tools.callbacks.pending(state);
    return pending === null ? null : { state, pending };
  }

  /** After so many tries; 0 before the first and after the last. */
  #waitMs(id: JobId, tries: number): number {
    return tries === 0 ? 0 : (this.#schedule(tries, spreadOf(`${id} ${tries}`)) ?? 0);
  }

  #runningOf(tenant: TenantId): number {
    return [...this.#running.values()].filter((one) => one.tenant === tenant).length;
  }

  /** Callbacks that nobody can sign would wait for ever, and unseen. */
  #sayUnsigned(waiting: number): void {
    const what = `${waiting} of them wait, and this process has no secret to sign them with.`;
    if (waiting > 0) this.#warn('callback_unsigned', what);
  }

  #complain(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    this.#warn('step_failed', `A callback could not be made: ${why}`);
  }

  /** At most once an hour. */
  #warn(code: Notice['code'], message: string): void {
    const nowMs = this.#tools.clock.monotonicMs();
    if (this.#complainedMs !== null && nowMs - this.#complainedMs < REMINDER_MS) return;
    this.#complainedMs = nowMs;
    this.#tools.notices.tell({ level: 'warning', code, message, job: null, chunk: null });
  }
}

/** A job with what is to be told of it. */
interface Due {
  readonly state: JobState;
  readonly pending: PendingCallback;
}

function inWords(answer: CallbackAnswer | null): string {
  if (answer === null) return 'the process that tried ended in it';
  return answer.kind === 'answered' ? `HTTP ${answer.status}` : answer.reason;
}

/** The same from 0 to 1 for every process, and another one for each try. */
function spreadOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;
}
