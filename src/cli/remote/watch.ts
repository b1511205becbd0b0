/** `watch` against a service: its events, over as many connections as it takes. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { JobBody } from '../../http/contract/job-shapes.ts';
import { job as jobSchema } from '../../http/contract/job-shapes.ts';
import { getJob } from '../../http/contract/jobs.ts';
import type { ProgressEventBody } from '../../http/contract/results.ts';
import { progressEvent, watchJob } from '../../http/contract/results.ts';
import type { ExitCode } from '../exit.ts';
import { EXIT } from '../exit.ts';
import { listenForLeaving } from '../leaving.ts';
import type { Terminal } from '../terminal.ts';
import type { ServiceClient } from './client.ts';
import { isCut } from './download.ts';
import { isOver, sayEnd } from './end.ts';
import { findJob } from './find-job.ts';
import { JobShow } from './job-show.ts';
import { jsonIn, StrangeAnswer } from './problems.ts';
import type { ServerEvent } from './server-events.ts';
import { readEvents } from './server-events.ts';

/** Heartbeats come every 15 seconds: who is silent for so long is gone. */
const QUIET_MS = 60_000;

/** Between two connections. */
const PAUSE_MS = 1_000;

/** A service that is away for longer is not waited for. */
const PATIENCE_MS = 600_000;

/** Shows how the job goes until it is over, or people leave. */
export async function remoteWatch(
  text: string,
  service: ServiceClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const job = await findJob(text, service);
  const leaving = listenForLeaving(terminal, null);
  try {
    const end = await watched(job, service, terminal, leaving.signal);
    return end === null ? sayDetached(job, terminal) : sayEnd(end, terminal);
  } catch (error) {
    if (!leaving.signal.aborted) throw error;
    return sayDetached(job, terminal);
  } finally {
    leaving.done();
  }
}

/** The job when it is over; null: the service has been away for too long. */
async function watched(
  first: JobBody,
  service: ServiceClient,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<JobBody | null> {
  const show = new JobShow(terminal);
  const events = new Events(first.id, service, signal);
  let job: JobBody | null = first;
  let lostMs: number | null = null;
  for (;;) {
    try {
      job ??= await events.look();
      show.show(job);
      if (isOver(job)) return job;
      for await (const event of events.read()) {
        lostMs = null;
        if (event.event === 'progress') show.progress(progressIn(event));
        else {
          job = await events.look();
          show.show(job);
        }
        if (isOver(job)) return job;
      }
    } catch (error) {
      if (!isCut(error)) throw error;
      if (lostMs === null) terminal.warn('The service cannot be reached; trying again …');
      lostMs ??= performance.now();
      if (performance.now() - lostMs > PATIENCE_MS) return null;
    }
    await sleep(PAUSE_MS, undefined, { signal });
    job = null;
  }
}

/** A job's events, each once, however many connections they come over. */
class Events {
  readonly #job: string;
  readonly #service: ServiceClient;
  readonly #signal: AbortSignal;
  #lastId: string | null = null;

  constructor(job: string, service: ServiceClient, signal: AbortSignal) {
    this.#job = job;
    this.#service = service;
    this.#signal = signal;
  }

  /** The events of one more connection, beginning behind the last that came. */
  async *read(): AsyncGenerator<ServerEvent> {
    const lastId = this.#lastId;
    const { blocks } = await this.#service.open(watchJob, {
      params: { job: this.#job },
      headers: { accept: 'text/event-stream', ...(lastId !== null && { 'last-event-id': lastId }) },
      quietMs: QUIET_MS,
      signal: this.#signal,
    });
    for await (const event of readEvents(blocks)) {
      this.#lastId = event.id ?? this.#lastId;
      yield event;
    }
  }

  /** The job as it is now: what an event tells of is only that there is something to see. */
  async look(): Promise<JobBody> {
    const input = { params: { job: this.#job }, signal: this.#signal };
    return this.#service.call(getJob, jobSchema, input);
  }
}

function progressIn({ data }: ServerEvent): ProgressEventBody {
  const parsed = progressEvent.safeParse(jsonIn(data));
  if (parsed.success) return parsed.data;
  throw new StrangeAnswer(
    'the service tells its progress in a way that this version does not know',
  );
}

function sayDetached({ id }: JobBody, terminal: Terminal): ExitCode {
  terminal.event('detached', {});
  const way = terminal.command('watch', id);
  terminal.warn(`Detached: nothing was cancelled. To look again:\n  ${way}`);
  return EXIT.detached;
}
