/**
 * The desk: what a door may ask for one tenant. Another tenant's job is as unknown here as one
 * that never was, whatever is asked of it.
 */

import { createHash } from 'node:crypto';
import { Refusal } from '../domain/errors.ts';
import type { JobId, TenantId } from '../domain/ids.ts';
import { LOCAL_TENANT, parseJobId, parseTenantId } from '../domain/ids.ts';
import type {
  JobOptions,
  JobState,
  JobStatus,
  JobTerms,
  LimitTerms,
  StoredSource,
} from '../domain/job.ts';
import { jobStatus, tenantOf } from '../domain/job.ts';
import type { ProviderIdentity } from '../domain/job.ts';
import type { RequestDefaults } from '../domain/plan.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Bell } from '../ports/work-queue.ts';
import { JOBS_FOLDER, openName, TENANTS_FOLDER, tenantJobsFolder } from '../stages/names.ts';
import { jobBell } from './bells.ts';
import type { LimitRules, LimitWish } from './chunk-limits.ts';
import { chunkLimits } from './chunk-limits.ts';
import type { JobViews } from './job-views.ts';
import type { Jobs, OnceSubmission, Submitted } from './jobs.ts';
import { sameValue } from './same-value.ts';

/** What the operator has set for all jobs that come over a door. */
export interface DeskRules extends LimitRules {
  readonly provider: ProviderIdentity;
  readonly completionWindow: string;
}

export interface DeskParts {
  readonly blobs: BlobStore;
  readonly views: JobViews;
  readonly jobs: Jobs;
  readonly rules: DeskRules;
  /** Rings for what is owed now. Where it fails a sweep rings: nothing is lost. */
  readonly ring: (bell: Bell, delayMs: number) => Promise<void>;
}

/** A request set with what its submitter wants of it. */
export interface Order {
  /** A new one; the source may lie in its folder. */
  readonly job: JobId;
  /** For people. */
  readonly name: string;
  readonly source: StoredSource;
  readonly defaults: RequestDefaults;
  readonly limits: LimitWish;
  readonly onInvalid: 'fail' | 'skip';
  readonly options: JobOptions;
  readonly terms: Omit<JobTerms, 'tenant' | 'limits'>;
  /** The same key is the same job; null: a new job each time. */
  readonly idempotencyKey: string | null;
}

export interface ListQuery {
  /** The last one of the page before. */
  readonly after: JobId | null;
  readonly limit: number;
  readonly order: 'newest' | 'oldest';
  /** Null: all. */
  readonly statuses: ReadonlySet<JobStatus> | null;
}

export interface JobPage {
  readonly jobs: readonly JobState[];
  readonly hasMore: boolean;
}

export class Desk {
  readonly tenant: TenantId;
  readonly #parts: DeskParts;

  constructor(tenant: TenantId, parts: DeskParts) {
    this.tenant = tenant;
    this.#parts = parts;
  }

  /**
   * Makes the job, or finds the one of the same idempotency key; durable when it resolves. Whether
   * that one is the same in all else is the caller's to compare.
   */
  async submit(order: Order): Promise<Submitted> {
    const { jobs, rules } = this.#parts;
    const { job, limits, idempotencyKey, terms, ...rest } = order;
    const submission: OnceSubmission = {
      ...rest,
      limits: chunkLimits(limits, rules),
      provider: rules.provider,
      completionWindow: rules.completionWindow,
      terms: { ...terms, tenant: this.tenant, limits: limitsWished(limits) },
    };
    const name = idempotencyKey === null ? ['once', job] : ['key', idempotencyKey];
    const submitted = await jobs.submitOnce(this.#keyOf(name), job, submission);
    await this.#ring(submitted.job);
    return submitted;
  }

  /** Whether `submit` would find the job of this key; null: it never does. */
  async knows(idempotencyKey: string | null): Promise<boolean> {
    if (idempotencyKey === null) return false;
    return this.#parts.jobs.knows(this.#keyOf(['key', idempotencyKey]));
  }

  /** The tenant's job of this id; refuses with `unknown_job` whatever else the text names. */
  async job(text: string): Promise<JobState> {
    const id = parseJobId(text);
    const state = id === null ? null : await this.#own(id);
    if (state === null) throw new Refusal('unknown_job', `There is no job ${shown(text)}.`);
    return state;
  }

  /** A page of the tenant's jobs. */
  async list({ after, limit, order, statuses }: ListQuery): Promise<JobPage> {
    const ids = await this.#ids();
    const sorted = order === 'newest' ? ids.toReversed() : ids;
    const isBeyond = (id: JobId): boolean =>
      after === null || (order === 'newest' ? id < after : id > after);
    const jobs: JobState[] = [];
    for (const id of sorted) {
      if (!isBeyond(id)) continue;
      const state = await this.#own(id);
      if (state === null || statuses?.has(jobStatus(state)) === false) continue;
      if (jobs.length === limit) return { jobs, hasMore: true };
      jobs.push(state);
    }
    return { jobs, hasMore: false };
  }

  /** Wishes it cancelled; refuses where it is over. A second wish is as good as the first. */
  async cancel(state: JobState): Promise<JobState> {
    requireStatus(state, 'cancel', ['planning', 'running', 'paused', 'cancelling']);
    await this.#parts.jobs.cancel(state.spec.id);
    return this.#after(state);
  }

  /** Sends nothing more until `resume`; batches that are alive go on. */
  async pause(state: JobState): Promise<JobState> {
    requireStatus(state, 'pause', ['planning', 'running', 'paused']);
    await this.#parts.jobs.pause(state.spec.id);
    return this.#after(state);
  }

  /** Lets a paused job go on. */
  async resume(state: JobState): Promise<JobState> {
    requireStatus(state, 'resume', ['planning', 'running', 'paused']);
    await this.#parts.jobs.resume(state.spec.id);
    return this.#after(state);
  }

  /** Removes everything of a job that is over. */
  async remove(state: JobState): Promise<void> {
    if (state.status === 'merged') {
      const { id } = state.spec;
      throw new Refusal('not_finished', `The provider’s files of ${id} go first: try again soon.`);
    }
    await this.#parts.jobs.remove(state);
  }

  #keyOf(name: readonly string[]): string {
    return sha256(JSON.stringify([this.tenant, ...name]));
  }

  async #after({ spec }: JobState): Promise<JobState> {
    await this.#ring(spec.id);
    return this.job(spec.id);
  }

  /** A bell that does not ring costs time only: the sweep of a worker finds what is owed. */
  async #ring(id: JobId): Promise<void> {
    const task = await this.#parts.views.jobTask(id);
    const due = task === null ? null : jobBell(task.stream.state, task.stream.version);
    if (due !== null) await this.#parts.ring(due.bell, due.delayMs).catch(() => undefined);
  }

  /** Null: it is not there, not theirs, or its submitter died before anybody could know it. */
  async #own(id: JobId): Promise<JobState | null> {
    const state = await this.#parts.views.job(id);
    if (state === null || tenantOf(state.spec) !== this.tenant) return null;
    if (state.status !== 'created') return state;
    const isOpen = (await this.#parts.blobs.head(openName(id))) !== null;
    return isOpen ? state : null;
  }

  /** Oldest first; some may be nobody's. */
  async #ids(): Promise<JobId[]> {
    if (this.tenant !== LOCAL_TENANT) return this.#listed(this.tenant);
    // Jobs that commands made stand in no list: what is in nobody else's is the local tenant's.
    const others = new Set<string>();
    for (const name of await this.#parts.blobs.list(TENANTS_FOLDER)) {
      const tenant = parseTenantId(name.replace('/', ''));
      if (tenant === null || tenant === LOCAL_TENANT) continue;
      for (const id of await this.#listed(tenant)) others.add(id);
    }
    const names = await this.#parts.blobs.list(JOBS_FOLDER);
    return jobIds(names).filter((id) => !others.has(id));
  }

  async #listed(tenant: TenantId): Promise<JobId[]> {
    return jobIds(await this.#parts.blobs.list(tenantJobsFolder(tenant)));
  }
}

/**
 * Whether the job was made by an order like this one, as far as what was wished goes; the request
 * set is compared apart, since the same one may come twice under different names.
 */
export function isSameOrder({ spec, options }: JobState, order: Order): boolean {
  if (spec.terms === undefined) return false;
  const { name, defaults, onInvalid } = order;
  const theirs = [
    spec.name,
    filledIn(spec.defaults),
    spec.onInvalid,
    options,
    wishesIn(spec.terms),
  ];
  const ours = [name, filledIn(defaults), onInvalid, order.options, wishesIn(order.terms)];
  const wished = limitsWished(order.limits);
  // What holds where nobody wishes may be set anew between two calls: wishes are compared.
  return sameValue(theirs, ours) && sameValue(spec.terms.limits ?? wished, wished);
}

/** How strictly lines are read is the door's to say, and may be said anew by another version. */
function filledIn({ endpoint, model }: RequestDefaults) {
  return { endpoint, model };
}

function limitsWished({ maxRequests, maxBytes }: LimitWish): LimitTerms {
  return { maxRequests: maxRequests ?? null, maxBytes: maxBytes ?? null };
}

function wishesIn({ metadata, callbackUrl, outputExpiresAfterSeconds }: Order['terms']) {
  return { metadata, callbackUrl, outputExpiresAfterSeconds };
}

function jobIds(names: readonly string[]): JobId[] {
  return names.map((name) => parseJobId(name.replace('/', ''))).filter((id) => id !== null);
}

function requireStatus(state: JobState, wish: string, allowed: readonly JobStatus[]): void {
  const status = jobStatus(state);
  if (allowed.includes(status)) return;
  throw new Refusal('already_over', `${state.spec.id} is ${status}: there is nothing to ${wish}.`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** What a caller wrote, short enough to be repeated to them. */
function shown(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}
