import { describe, expect, it } from 'vitest';

import type { BlobStore } from '../../src/ports/blob-store.ts';
import type { CallbackAnswer } from '../../src/ports/callback-sender.ts';
import { answered, callbackScene, notedJob } from './support/callback-scene.ts';
import type { Teller } from './support/callback-scene.ts';

const HOUR_MS = 3_600_000;

/** A store whose process dies when it is about to do this to an object of that name. */
function dyingAt(blobs: BlobStore, method: keyof BlobStore, name: RegExp): BlobStore {
  return new Proxy(blobs, {
    get: (target, key) => {
      const own = Reflect.get(target, key, target) as (...all: unknown[]) => Promise<unknown>;
      return (...all: unknown[]) =>
        key === method && name.test(String(all[0]))
          ? Promise.reject(new Error('killed'))
          : own.apply(target, all);
    },
  });
}

describe('several processes', () => {
  it('make each try once, and go on where one of them dies', async () => {
    const { scene, state, teller: first } = await notedJob(503, 503);
    const second = scene.teller(async () => answered(200));
    await Promise.all([first.round(), second.round()]);
    expect(first.sent.length + second.sent.length).toBe(1);
    // The one that was late sees whose try it was, and waits for it and then its own time.
    await Promise.all([first.round(), second.round()]);
    expect(first.sent.length + second.sent.length).toBe(1);
    scene.pass(60_000);
    await second.round();
    expect(await scene.outcomeOf(state)).toMatchObject({ outcome: 'delivered' });
    await first.round();
    expect(first.sent.length + second.sent.length).toBeLessThanOrEqual(2);
  });

  it('tell again what a process told that died before it could write it down', async () => {
    const scene = await callbackScene();
    const state = await scene.job(1);
    const dying = scene.teller(async () => answered(200), {
      blobs: dyingAt(scene.blobs, 'put', /callback\.json$/),
    });
    await dying.callbacks.note(state);
    await dying.round();
    expect(dying.sent).toHaveLength(1);
    const next = scene.teller(async () => answered(200));
    await next.round();
    expect(next.sent).toEqual([]);
    scene.pass(30_000);
    await next.round();
    expect(next.sent[0]?.id).toBe(dying.sent[0]?.id);
    expect(next.sent[0]?.body).toBe(dying.sent[0]?.body);
    expect(await next.callbacks.waiting()).toEqual([]);
  });

  it('tell no more where one died between the outcome and the mark', async () => {
    const scene = await callbackScene();
    const state = await scene.job(1);
    const blobs = dyingAt(scene.blobs, 'delete', /callbacks\//);
    const dying = scene.teller(async () => answered(200), { blobs });
    await dying.callbacks.note(state);
    await dying.round();
    const next = scene.teller(async () => answered(200));
    expect(await next.callbacks.waiting()).toHaveLength(1);
    await next.round();
    expect(next.sent).toEqual([]);
    expect(await next.callbacks.waiting()).toEqual([]);
  });

  it('give up too where the last try’s process died in it', async () => {
    const scene = await callbackScene();
    const state = await scene.job(1);
    const dying = scene.teller(() => Promise.reject(new Error('killed')), {
      schedule: () => null,
    });
    await dying.callbacks.note(state);
    await dying.round();
    const next = scene.teller(async () => answered(200), { schedule: () => null });
    await next.round();
    scene.pass(HOUR_MS);
    await next.round();
    expect(next.sent).toEqual([]);
    expect(await scene.outcomeOf(state)).toMatchObject({ outcome: 'failed', tries: 1 });
    expect(await scene.alertsOf(state)).toHaveLength(1);
  });

  it('do not make a try that could not be written down', async () => {
    const scene = await callbackScene();
    const full = dyingAt(scene.blobs, 'putIfAbsent', /try-/);
    const teller = scene.teller(async () => answered(200), { blobs: full });
    await teller.callbacks.note(await scene.job(1));
    await teller.round();
    await teller.round();
    expect(teller.sent).toEqual([]);
    expect(teller.notices.map(({ code }) => code)).toEqual(['step_failed']);
  });
});

describe('clocks that jump', () => {
  it('set back, do not delay a process that runs, and others by one wait at the most', async () => {
    const { scene, teller } = await notedJob(503, 503, 200);
    await teller.round();
    scene.time.wallMs -= 24 * HOUR_MS;
    scene.pass(6_000);
    await teller.round();
    expect(teller.sent).toHaveLength(2);
    scene.time.wallMs -= 24 * HOUR_MS;
    const late = scene.teller(async () => answered(200));
    await late.round();
    expect(late.sent).toEqual([]);
    scene.pass(60_000);
    await late.round();
    expect(late.sent).toHaveLength(1);
  });

  it('set ahead, end nothing early', async () => {
    const { scene, state, teller } = await notedJob();
    await teller.round();
    scene.time.wallMs += 48 * HOUR_MS;
    await teller.round();
    expect(teller.sent).toHaveLength(1);
    scene.pass(6_000);
    await teller.round();
    expect(teller.sent).toHaveLength(2);
    expect(await scene.outcomeOf(state)).toBeNull();
  });

  it('count where a process begins: what waited long enough is tried at once', async () => {
    const { scene, teller } = await notedJob(503);
    await teller.round();
    scene.pass(HOUR_MS);
    const next = scene.teller(async () => answered(200));
    await next.round();
    expect(next.sent).toHaveLength(1);
  });
});

describe('many callbacks', () => {
  it('are made four at once, two of a tenant: nobody’s receiver keeps others', async () => {
    const scene = await callbackScene();
    const open: PromiseWithResolvers<CallbackAnswer>[] = [];
    const teller = scene.teller(() => {
      const waiting = Promise.withResolvers<CallbackAnswer>();
      open.push(waiting);
      return waiting.promise;
    });
    const owners = [...Array.from({ length: 5 }, () => 'slow'), 'other', 'other'];
    for (const [number, tenant] of owners.entries()) {
      await teller.callbacks.note(await scene.job(number, 'merged', { tenant }));
    }
    await teller.delivery.look();
    await until(() => open.length === 4);
    await teller.delivery.look();
    const sentTo = (teller: Teller) => teller.sent.map(({ id }) => owners[numberOf(id)]);
    expect(sentTo(teller).filter((owner) => owner === 'slow')).toHaveLength(2);
    for (const waiting of open) waiting.resolve(answered(503));
    await teller.delivery.settled();
    await teller.delivery.look();
    await until(() => open.length === 6);
    expect(sentTo(teller).slice(4)).toEqual(['slow', 'slow']);
    for (const waiting of open) waiting.resolve(answered(204));
    await teller.delivery.settled();
  });

  it('are looked for at once when one is noted, and running tries end with the loop', async () => {
    const scene = await callbackScene();
    const came = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<CallbackAnswer>();
    const teller = scene.teller(() => {
      came.resolve();
      return answer.promise;
    });
    const loop = teller.delivery.start();
    const state = await scene.job(1);
    await teller.callbacks.note(state);
    await came.promise;
    const stopped = loop.stop(5_000);
    answer.resolve(answered(204));
    await stopped;
    expect(await scene.outcomeOf(state)).toMatchObject({ outcome: 'delivered' });
  });
});

function numberOf(id: string): number {
  return Number(/^job_(\d+)_/.exec(id)?.[1]);
}

/** Lets other work go on until it is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
