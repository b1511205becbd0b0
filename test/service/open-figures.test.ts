import { describe, expect, it } from 'vitest';

import { chunkIdOf } from '../../src/domain/ids.ts';
import type { JobState } from '../../src/domain/job.ts';
import { measuresOf } from '../../src/service/measures.ts';
import { CountedProvider } from '../../src/service/counted-provider.ts';
import { OpenFigures } from '../../src/service/open-figures.ts';
import { Scene } from '../simulation/scene.ts';
import { providerWith } from '../stages/support/provider.ts';

/** The figures of a scene as a process sees them that does no work. */
function figuresOf(
  scene: Scene,
  changes: Partial<ConstructorParameters<typeof OpenFigures>[0]> = {},
) {
  const { blobs, views, clock, tools } = scene.worker('watcher');
  return new OpenFigures({ blobs, views, clock, board: tools.board, ...changes });
}

async function shown(scene: Scene, figures: OpenFigures) {
  const [jobs, chunks, live, tokens] = await scene.turn(
    Promise.all([figures.jobs(), figures.chunks(), figures.liveBatches(), figures.liveTokens()]),
  );
  return { jobs: [...jobs], chunks: [...chunks], live: [...live], tokens: [...tokens] };
}

describe('the figures of open jobs', () => {
  it('follow a job from its planning to its end', async () => {
    const scene = await Scene.open(['a-ok', 'b-ok']);
    const hand = scene.worker('worker');
    const figures = figuresOf(scene);
    const nothing = { chunks: [], live: [], tokens: [] };
    expect(await shown(scene, figures)).toEqual({ jobs: [['planning', 1]], ...nothing });
    await scene.jobUntil(hand, 'planned');
    await scene.chunkUntil(hand, 'submitted');
    await scene.turn(hand.sweep.run());
    await scene.wait(60_000);
    const chunk = await scene.turn(hand.views.chunk(scene.job, chunkIdOf(0)));
    if (chunk?.status !== 'submitted') throw new Error('no batch is alive');
    expect(await shown(scene, figures)).toEqual({
      jobs: [['running', 1]],
      chunks: [['submitted', 1]],
      live: [['model', 1]],
      tokens: [['model', Math.ceil(chunk.attempt.upload.sizeBytes / 4)]],
    });
    expect(chunk.attempt.upload.sizeBytes).toBeGreaterThan(0);
    await scene.chunkUntil(hand, 'settled');
    await scene.jobUntil(hand, 'done');
    await scene.turn(hand.sweep.run());
    await scene.wait(60_000);
    expect(await shown(scene, figures)).toEqual({ jobs: [], ...nothing });
  });

  it('are read once for many who ask at once', async () => {
    const scene = await Scene.open(['a-ok']);
    const { views } = scene.worker('watcher');
    let loads = 0;
    const counted = new Proxy(views, {
      get: (target, key) => {
        if (key === 'job') loads += 1;
        return (Reflect.get(target, key, target) as (...all: unknown[]) => unknown).bind(target);
      },
    });
    const figures = figuresOf(scene, { views: counted });
    await scene.turn(Promise.all([1, 2, 3, 4].map(() => figures.jobs())));
    expect(loads).toBe(1);
  });

  it('show base models, never whose fine-tuned one it is, nor what is no name', async () => {
    const scene = await Scene.open(['a-ok']);
    const hand = scene.worker('worker');
    await scene.jobUntil(hand, 'planned');
    const models = ['ft:gpt-4o-mini:acme:their-secret:x1', 'gpt-4o', 'say "hello" to\nme', 'a/b.c'];
    const state = await scene.turn(hand.views.job(scene.job));
    const views = new Proxy(hand.views, {
      get: (target, key) => {
        if (key !== 'job') return Reflect.get(target, key, target) as unknown;
        const planned = state as Extract<JobState, { status: 'planned' }>;
        return async () => ({ ...planned, plan: { ...planned.plan, models } });
      },
    });
    const { live } = await shown(scene, figuresOf(scene, { views }));
    expect(live).toEqual([
      ['ft:gpt-4o-mini', 0],
      ['gpt-4o', 0],
      ['other', 0],
      ['a/b.c', 0],
    ]);
  });
});

describe('the measures', () => {
  it('have the names and labels that the documentation gives them', async () => {
    const scene = await Scene.open(['a-ok']);
    const measures = measuresOf({
      figures: figuresOf(scene),
      queue: { depths: async () => [{ queue: 'poll', waiting: 1, active: 2, delayed: 3 }] },
      stepAges: { now: async () => ({ poll: 1_500 }) },
      provider: new CountedProvider(providerWith({})),
      notices: { all: () => [{ code: 'redis', level: 'warning', count: 4, lastAtMs: 0 }] },
    });
    const read = new Map(measures.map((measure) => [measure.name, measure]));
    expect([...read.values()].map(({ name, labels }) => [name, labels])).toEqual([
      ['batchwright_open_jobs', ['status']],
      ['batchwright_open_chunks', ['phase']],
      ['batchwright_live_batches', ['model']],
      ['batchwright_live_tokens_estimate', ['model']],
      ['batchwright_queue_bells', ['queue', 'state']],
      ['batchwright_oldest_unfinished_step_seconds', ['step']],
      ['batchwright_provider_calls_total', ['operation', 'outcome']],
      ['batchwright_provider_bytes_total', ['direction']],
      ['batchwright_notices_total', ['code', 'level']],
    ]);
    expect(await read.get('batchwright_queue_bells')?.read()).toEqual([
      { labels: { queue: 'poll', state: 'waiting' }, value: 1 },
      { labels: { queue: 'poll', state: 'active' }, value: 2 },
      { labels: { queue: 'poll', state: 'delayed' }, value: 3 },
    ]);
    const ages = await read.get('batchwright_oldest_unfinished_step_seconds')?.read();
    expect(ages).toEqual([{ labels: { step: 'poll' }, value: 1.5 }]);
    const told = await read.get('batchwright_notices_total')?.read();
    expect(told?.[0]).toEqual({ labels: { code: 'redis', level: 'warning' }, value: 4 });
    // An alarm that waits for a rise has to see the nothing before it.
    expect(told).toContainEqual({ labels: { code: 'unauthorized', level: 'alert' }, value: 0 });
    expect(told?.filter(({ value }) => value > 0)).toHaveLength(1);
  });
});
