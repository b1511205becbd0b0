/** The measures of the house: what is read when somebody asks how it goes. */

import type { Measure, Sample } from '../ports/metrics.ts';
import type { SharedStepAges } from '../ports/step-ages.ts';
import type { QueueMeter } from '../ports/work-queue.ts';
import type { CountedProvider } from './counted-provider.ts';
import type { NoticeCode, NoticeLevel } from '../domain/alert.ts';
import { meaningOf, NOTICES } from '../domain/alert.ts';
import type { NoticeCounts } from './notice-counts.ts';
import type { OpenFigures } from './open-figures.ts';

export interface MeasuredParts {
  readonly figures: OpenFigures;
  readonly queue: QueueMeter;
  readonly stepAges: Pick<SharedStepAges, 'now'>;
  readonly provider: CountedProvider;
  readonly notices: Pick<NoticeCounts, 'all'>;
}

/** Gauges speak of the whole installation, counters of this process. */
export function measuresOf(parts: MeasuredParts): Measure[] {
  return [...gaugesOf(parts), ...countersOf(parts)];
}

function gaugesOf({ figures, queue, stepAges }: MeasuredParts): Measure[] {
  return [
    {
      name: 'batchwright_open_jobs',
      help: 'Jobs that are not over, by status.',
      kind: 'gauge',
      labels: ['status'],
      read: async () => samples(await figures.jobs(), 'status'),
    },
    {
      name: 'batchwright_open_chunks',
      help: 'Chunks of jobs that are not over, by phase.',
      kind: 'gauge',
      labels: ['phase'],
      read: async () => samples(await figures.chunks(), 'phase'),
    },
    {
      name: 'batchwright_live_batches',
      help: 'Slots for live batches that are held, by model.',
      kind: 'gauge',
      labels: ['model'],
      read: async () => samples(await figures.liveBatches(), 'model'),
    },
    {
      name: 'batchwright_live_tokens_estimate',
      help: 'About how many tokens live batches hold, by model: their input files’ bytes / 4.',
      kind: 'gauge',
      labels: ['model'],
      read: async () => samples(await figures.liveTokens(), 'model'),
    },
    {
      name: 'batchwright_queue_bells',
      help: 'Steps in the queues, by state: waiting, active, delayed.',
      kind: 'gauge',
      labels: ['queue', 'state'],
      read: async () =>
        (await queue.depths()).flatMap(({ queue: name, ...states }) =>
          Object.entries(states).map(([state, value]) => ({
            labels: { queue: name, state },
            value,
          })),
        ),
    },
    {
      name: 'batchwright_oldest_unfinished_step_seconds',
      help: 'The age of the oldest step of each kind that is owed and not done, by sweeps.',
      kind: 'gauge',
      labels: ['step'],
      read: async () => {
        const ages = Object.entries((await stepAges.now()) ?? {});
        return ages.map(([step, ageMs]) => ({ labels: { step }, value: ageMs / 1000 }));
      },
    },
  ];
}

function countersOf({ provider, notices }: MeasuredParts): Measure[] {
  return [
    {
      name: 'batchwright_provider_calls_total',
      help: 'Calls of the provider by this process, by operation and outcome.',
      kind: 'counter',
      labels: ['operation', 'outcome'],
      read: () =>
        provider.calls().map(({ operation, outcome, count }) => ({
          labels: { operation, outcome },
          value: count,
        })),
    },
    {
      name: 'batchwright_provider_bytes_total',
      help: 'Bytes of input files stored at, and answer files fetched from, the provider.',
      kind: 'counter',
      labels: ['direction'],
      read: () => {
        const { sent, received } = provider.bytes();
        return samples(new Map(Object.entries({ sent, received })), 'direction');
      },
    },
    {
      name: 'batchwright_notices_total',
      help: 'Notices told by this process, by code and level.',
      kind: 'counter',
      labels: ['code', 'level'],
      read: () => [
        ...notices.all().map(({ code, level, count }) => noticeSample(code, level, count)),
        ...untold(notices).map((code) => noticeSample(code, 'alert', 0)),
      ],
    },
  ];
}

function noticeSample(code: NoticeCode, level: NoticeLevel, value: number): Sample {
  return { labels: { code, level }, value };
}

/** Alerts that were not told yet: who waits for a rise must see the nothing before it. */
function untold(notices: MeasuredParts['notices']): NoticeCode[] {
  const told = new Set(notices.all().map(({ code }) => code));
  const codes = Object.keys(NOTICES) as NoticeCode[];
  return codes.filter((code) => meaningOf(code).level === 'alert' && !told.has(code));
}

function samples(values: ReadonlyMap<string, number>, label: string): Sample[] {
  return [...values].map(([key, value]) => ({ labels: { [label]: key }, value }));
}
