/** Jobs that are over, in a store of real files, and processes that tell of it when asked to. */

import { createJournal } from '../../../src/adapters/blob/journal.ts';
import { createFileBlobStore } from '../../../src/adapters/file/blob-store.ts';
import { createIds } from '../../../src/adapters/system/ids.ts';
import type { Alert } from '../../../src/domain/alert.ts';
import { applyToJob } from '../../../src/domain/transitions.ts';
import { LOCAL_TENANT, parseJobId, parseTenantId } from '../../../src/domain/ids.ts';
import type { JobEvent, JobState } from '../../../src/domain/job.ts';
import type { BlobStore } from '../../../src/ports/blob-store.ts';
import type { Callback, CallbackAnswer } from '../../../src/ports/callback-sender.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { Notice } from '../../../src/ports/notices.ts';
import { Alerts } from '../../../src/service/alerts.ts';
import type { CallbackTools } from '../../../src/service/callback-delivery.ts';
import { CallbackDelivery } from '../../../src/service/callback-delivery.ts';
import { Callbacks } from '../../../src/service/callbacks.ts';
import { JobViews } from '../../../src/service/job-views.ts';
import { EventStream } from '../../../src/stages/event-stream.ts';
import { callbackOutcomeName, jobFolder, jobStreamName } from '../../../src/stages/names.ts';
import { JOB_EVENTS, SPEC } from '../../domain/support/samples.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** A process: what it sent, what it told people. */
export interface Teller {
  readonly callbacks: Callbacks;
  readonly delivery: CallbackDelivery;
  readonly sent: Callback[];
  readonly notices: Notice[];
  /** Begins what is due and waits until it is over. */
  round(): Promise<void>;
}

type Send = (callback: Callback) => Promise<CallbackAnswer>;

const START_MS = 1_700_000_000_000;

/** An answer with the status. */
export function answered(status: number): CallbackAnswer {
  return { kind: 'answered', status };
}

export async function callbackScene() {
  const blobs = createFileBlobStore(await temporaryFolder());
  /** What the clocks of all processes show; the test sets them. */
  const time = { wallMs: START_MS, monotonicMs: 0 };
  const clock: Clock = {
    wallMs: () => time.wallMs,
    monotonicMs: () => time.monotonicMs,
    sleep: (_ms, signal) =>
      new Promise((resolve) => signal?.addEventListener('abort', () => resolve())),
  };
  const ids = createIds(clock);
  const journal = createJournal(blobs, ids, clock);
  const alerts = new Alerts(blobs, journal, clock);

  const scene = {
    blobs,
    time,
    alerts,
    pass(ms: number): void {
      time.wallMs += ms;
      time.monotonicMs += ms;
    },
    async alertsOf(state: JobState): Promise<Alert[]> {
      return alerts.current(state);
    },
    /** What came of the job's callback; null: nothing yet. */
    async outcomeOf({ spec }: JobState): Promise<unknown> {
      const kept = await blobs.get(callbackOutcomeName(spec.id));
      return kept === null ? null : (JSON.parse(kept.toString()) as unknown);
    },
    /** A job after its last event, whose owner wants to know of its end. */
    async job(number: number, last: Last = 'merged', more: JobWish = {}): Promise<JobState> {
      const id = parseJobId(`job_${String(number).padStart(26, '0')}`);
      if (id === null) throw new Error('a job id was expected');
      const tenant = parseTenantId(more.tenant ?? '') ?? LOCAL_TENANT;
      const terms = { ...TERMS, ...more, tenant };
      const spec = { ...SPEC, id, terms };
      const name = jobStreamName(id);
      const stream = await EventStream.open<JobEvent, JobState | null>(
        journal,
        name,
        applyToJob,
        null,
      );
      await stream.record({ ...JOB_EVENTS.created, spec });
      for (const type of EVENTS[last]) await stream.record(JOB_EVENTS[type]);
      if (stream.state === null) throw new Error('the job was expected to be there');
      return stream.state;
    },
    async remove({ spec }: JobState): Promise<void> {
      await blobs.deleteFolder(jobFolder(spec.id));
    },
    /** `over`: what the process has in place of the usual, the store included. */
    teller(send: Send, over: Partial<CallbackTools> & { blobs?: BlobStore } = {}): Teller {
      const own = over.blobs ?? blobs;
      const callbacks = new Callbacks(own, clock);
      const sent: Callback[] = [];
      const notices: Notice[] = [];
      const delivery = new CallbackDelivery({
        callbacks,
        views: new JobViews(own, createJournal(own, ids, clock)),
        sender: {
          canSign: true,
          problemOf: () => null,
          send: (callback) => {
            sent.push(callback);
            return send(callback);
          },
        },
        alerts,
        notices: { tell: (notice) => void notices.push(notice) },
        clock,
        ...over,
      });
      const round = async (): Promise<void> => {
        await delivery.look();
        await delivery.settled();
      };
      return { callbacks, delivery, sent, notices, round };
    },
  };
  return scene;
}

/** One job whose end is noted, and a process that is answered as the test says; then by 503. */
export async function notedJob(...statuses: number[]) {
  const scene = await callbackScene();
  const state = await scene.job(1);
  const teller = scene.teller(async () => answered(statuses.shift() ?? 503));
  await teller.callbacks.note(state);
  return { scene, state, teller };
}

const EVENTS = {
  planned: ['planned'],
  refused: ['refused'],
  merged: ['planned', 'merged'],
  done: ['planned', 'merged', 'cleaned'],
} as const;

type Last = keyof typeof EVENTS;

interface JobWish {
  readonly tenant?: string;
  readonly callbackUrl?: string;
}

const TERMS = {
  metadata: { team: 'a' },
  callbackUrl: 'https://receiver.test/hook',
  inputFile: null,
  outputExpiresAfterSeconds: null,
  retryOf: null,
};
