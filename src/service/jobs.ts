/** What the doors may ask about jobs: submit, find, cancel, resume, prune. */

import { createHash } from 'node:crypto';
import { Refusal } from '../domain/errors.ts';
import type { JobId } from '../domain/ids.ts';
import { parseJobId } from '../domain/ids.ts';
import type { JobEvent, JobOptions, JobSpec, JobState } from '../domain/job.ts';
import { isTerminal, jobStatus } from '../domain/job.ts';
import { runKeyText } from '../domain/run-key.ts';
import { applyToJob } from '../domain/transitions.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ids } from '../ports/ids.ts';
import type { Journal } from '../ports/journal.ts';
import { EventStream } from '../stages/event-stream.ts';
import {
  callbackName,
  JOBS_FOLDER,
  jobFolder,
  jobStreamName,
  journalFolder,
  keyName,
  openName,
  tenantJobName,
} from '../stages/names.ts';
import type { JobViews } from './job-views.ts';
import { wish } from './wish.ts';

export interface Submission extends Omit<JobSpec, 'id' | 'createdAtMs' | 'runKey'> {
  readonly options: JobOptions;
  /** A new job even where the same run exists. */
  readonly fresh: boolean;
  /** Nothing is sent before `resume`. */
  readonly unconfirmed: boolean;
}

/** What a key's job is made of, where the key alone says which submissions are the same. */
export type OnceSubmission = Omit<Submission, 'fresh' | 'unconfirmed'>;

/** What tells whether two runs are the same. */
type RunSpec = Parameters<typeof runKeyText>[0];

export interface Submitted {
  readonly job: JobId;
  /** The same run was there already. */
  readonly attached: boolean;
}

export class Jobs {
  readonly #blobs: BlobStore;
  readonly #journal: Journal;
  readonly #views: JobViews;
  readonly #ids: Ids;
  readonly #clock: Clock;

  constructor(blobs: BlobStore, journal: Journal, views: JobViews, ids: Ids, clock: Clock) {
    this.#blobs = blobs;
    this.#journal = journal;
    this.#views = views;
    this.#ids = ids;
    this.#clock = clock;
  }

  /** Attaches to the job of the same run, or makes one; durable when it resolves. */
  async submit(submission: Submission): Promise<Submitted> {
    const { options, fresh, unconfirmed, ...spec } = submission;
    const runKey = runKeyOf(spec);
    const key = await this.#openKey(runKey);
    if (fresh) await this.#refuseBesideOpen(key.state);
    const known = fresh ? null : await this.#attach(key.state, options);
    if (known !== null) return { job: known, attached: true };

    const before = key.state;
    const id = this.#ids.job();
    if (!(await this.#make(key, { ...spec, id, runKey }, options, unconfirmed))) {
      await this.#blobs.deleteFolder(jobFolder(id));
      return this.submit({ ...submission, fresh: false });
    }
    await this.#removeRefused(before);
    return { job: id, attached: false };
  }

  /**
   * Makes the key's job under this id, or finds the one that was made under it before, whatever
   * became of that one. `key`: 64 hexadecimal digits. Durable when it resolves.
   */
  async submitOnce(
    key: string,
    id: JobId,
    { options, ...spec }: OnceSubmission,
  ): Promise<Submitted> {
    const stream = await this.#openKey(key);
    const known = stream.state === null ? null : await this.#views.job(stream.state.job);
    if (known !== null) {
      // Who made it may have died before it opened it.
      if (!isTerminal(known)) await this.#blobs.put(openName(known.spec.id), Buffer.from(''));
      return { job: known.spec.id, attached: true };
    }
    const isOurs = await this.#make(stream, { ...spec, id, runKey: key }, options, false);
    if (isOurs) return { job: id, attached: false };
    // What else lies in its folder, its request set, is the caller's.
    await this.#blobs.deleteFolder(journalFolder(id));
    return this.submitOnce(key, id, { options, ...spec });
  }

  /** Whether there is a job under the key of `submitOnce`. */
  async knows(key: string): Promise<boolean> {
    const { state } = await this.#openKey(key);
    return state !== null && (await this.#views.job(state.job)) !== null;
  }

  /** False: another submitter won the key, and this job's folder is the caller's to remove. */
  async #make(
    key: EventStream<KeyEvent, KeyState>,
    spec: Omit<JobSpec, 'createdAtMs'>,
    options: JobOptions,
    unconfirmed: boolean,
  ): Promise<boolean> {
    const { id } = spec;
    const made = { ...spec, createdAtMs: this.#clock.wallMs() };
    // An entry of the list without a job is skipped; a job without its entry would be unseen.
    const entry = spec.terms === undefined ? null : tenantJobName(spec.terms.tenant, id);
    if (entry !== null) await this.#blobs.put(entry, Buffer.from(''));
    await this.#create(made, options, unconfirmed);
    // The key decides between two that submit the same at once: the loser's job never opens.
    if (await key.decide({ job: id })) {
      await this.#blobs.put(openName(id), Buffer.from(''));
      return true;
    }
    if (entry !== null) await this.#blobs.delete(entry);
    return false;
  }

  /** The job of the same run, going on with these options; null where there is none to go on. */
  async attach(spec: RunSpec, options: JobOptions): Promise<JobId | null> {
    const key = await this.#openKey(runKeyOf(spec));
    return this.#attach(key.state, options);
  }

  /** Every job of the store, oldest first. */
  async list(): Promise<JobState[]> {
    const states: JobState[] = [];
    for (const name of await this.#blobs.list(JOBS_FOLDER)) {
      const id = parseJobId(name.replace('/', ''));
      const state = id === null ? null : await this.#views.job(id);
      if (state !== null && !(await this.#isStillborn(state))) states.push(state);
    }
    return states;
  }

  /** The job that the text names: its id, or the beginning of it where that is unambiguous. */
  async find(text: string): Promise<JobState> {
    const exact = parseJobId(text);
    const state = exact === null ? null : await this.#views.job(exact);
    if (state !== null) return state;
    const names = (await this.#blobs.list(JOBS_FOLDER)).map((name) => name.replace('/', ''));
    const matching = text.startsWith('job_') ? names.filter((name) => name.startsWith(text)) : [];
    if (matching.length > 1) {
      throw new Refusal('ambiguous_job', `${matching.length} jobs begin with ${text}.`);
    }
    const id = parseJobId(matching[0] ?? '');
    const found = id === null ? null : await this.#views.job(id);
    if (found !== null) return found;
    const way = 'batchwright list shows the jobs of a data directory.';
    throw new Refusal('unknown_job', `There is no job ${text} here; ${way}`);
  }

  /** Wishes the job cancelled; false where it is over already. */
  async cancel(id: JobId): Promise<boolean> {
    await this.#blobs.put(openName(id), Buffer.from(''));
    return wish(this.#views, null, id, { kind: 'cancel' });
  }

  /** Sends nothing more of the job until it is resumed; false where it runs no more. */
  async pause(id: JobId): Promise<boolean> {
    const message = 'Its owner paused it.';
    return wish(this.#views, null, id, { kind: 'hold', code: 'paused', message });
  }

  /** Lets a held job go on; false where it was not held. */
  async resume(id: JobId): Promise<boolean> {
    const state = await this.#views.job(id);
    if (state?.intent.kind !== 'hold') return false;
    return wish(this.#views, null, id, { kind: 'run' });
  }

  /** Removes everything of a job that is over; rejects for one that is not. */
  async remove(state: JobState): Promise<void> {
    const { id, runKey } = state.spec;
    // A merged job owes the provider's files only, and those expire by themselves.
    const isOver = isTerminal(state) || state.status === 'merged';
    if (!isOver && !(await this.#isStillborn(state))) {
      const status = jobStatus(state);
      const way = status === 'cancelling' ? 'try again when that is done' : 'cancel it first';
      throw new Refusal('not_finished', `${id} is ${status}: ${way}.`);
    }
    const key = await this.#openKey(runKey);
    if (key.state?.job === id) await this.#blobs.deleteFolder(keyName(runKey));
    await this.#blobs.delete(openName(id));
    await this.#blobs.deleteFolder(jobFolder(id));
    const { terms } = state.spec;
    if (terms === undefined) return;
    await this.#blobs.delete(tenantJobName(terms.tenant, id));
    await this.#blobs.delete(callbackName(id));
  }

  /** Jobs whose submitter died before anybody could learn of them. */
  async stillborn(): Promise<JobState[]> {
    const states: JobState[] = [];
    for (const name of await this.#blobs.list(JOBS_FOLDER)) {
      const id = parseJobId(name.replace('/', ''));
      const state = id === null ? null : await this.#views.job(id);
      if (state !== null && (await this.#isStillborn(state))) states.push(state);
    }
    return states;
  }

  async #isStillborn(state: JobState): Promise<boolean> {
    if (state.status !== 'created') return false;
    const key = await this.#openKey(state.spec.runKey);
    return key.state?.job !== state.spec.id;
  }

  async #openKey(runKey: string): Promise<EventStream<KeyEvent, KeyState>> {
    return EventStream.open<KeyEvent, KeyState>(
      this.#journal,
      keyName(runKey),
      (_state, event) => event,
      null,
    );
  }

  /** The job behind the key, going on with these options; null where a new one is needed. */
  async #attach(key: KeyState, options: JobOptions): Promise<JobId | null> {
    const task = key === null ? null : await this.#views.jobTask(key.job);
    // A refused job has sent nothing: the same command tries again.
    if (task === null || task.stream.state.status === 'refused') return null;
    const { id } = task.job;
    if (!isTerminal(task.stream.state)) await this.#blobs.put(openName(id), Buffer.from(''));
    if (JSON.stringify(task.stream.state.options) !== JSON.stringify(options)) {
      await task.stream.record({ type: 'adjusted', options });
    }
    return id;
  }

  /** A job that was refused sent nothing; the same command, tried again, takes its place. */
  async #removeRefused(key: KeyState): Promise<void> {
    const state = key === null ? null : await this.#views.job(key.job);
    if (state?.status !== 'refused') return;
    // Who refused it may have died before its mark was gone.
    await this.#blobs.delete(openName(state.spec.id));
    await this.#blobs.deleteFolder(jobFolder(state.spec.id));
  }

  /** Two unfinished jobs of one run would both be paid for. */
  async #refuseBesideOpen(key: KeyState): Promise<void> {
    const state = key === null ? null : await this.#views.job(key.job);
    if (state === null || state.status === 'merged' || isTerminal(state)) return;
    throw new Refusal(
      'not_finished',
      `${state.spec.id} is the same run and unfinished: go on with it by leaving out --fresh, ` +
        `or end it first with: batchwright cancel ${state.spec.id}`,
    );
  }

  async #create(spec: JobSpec, options: JobOptions, unconfirmed: boolean): Promise<void> {
    const stream = await EventStream.open<JobEvent, JobState | null>(
      this.#journal,
      jobStreamName(spec.id),
      applyToJob,
      null,
    );
    await stream.decide({ type: 'created', spec, options, unconfirmed });
  }
}

function runKeyOf(spec: RunSpec): string {
  return createHash('sha256').update(runKeyText(spec)).digest('hex');
}

/** A run key's stream: which job the same command attaches to. */
export interface KeyEvent {
  readonly job: JobId;
}
export type KeyState = KeyEvent | null;
