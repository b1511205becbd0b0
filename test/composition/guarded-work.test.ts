import { describe, expect, it } from 'vitest';

import { RedisNews } from '../../src/adapters/redis/news.ts';
import { inWords } from '../../src/adapters/redis/trouble.ts';
import { guardedWork } from '../../src/composition/guarded-work.ts';
import { Alerts } from '../../src/service/alerts.ts';
import { Brake } from '../../src/service/brake.ts';
import { IDENTITY } from '../simulation/house.ts';
import { Scene } from '../simulation/scene.ts';

/** The guarded work of a process whose store, or whose bells, throw the error. */
async function throwing(where: 'store' | 'bells', error: Error) {
  const scene = await Scene.open(['a-ok', 'b-ok']);
  const hand = scene.worker('worker');
  const lines: string[] = [];
  const news = new RedisNews((line) => lines.push(line));
  const fail = () => Promise.reject(inWords(error));
  const blobs = where === 'store' ? proxied(hand.blobs, { list: () => Promise.reject(error) }) : {};
  const work = guardedWork({
    tools: { ...hand.tools, ...(where === 'store' ? { blobs: blobs as typeof hand.blobs } : {}) },
    queue: where === 'bells' ? proxied(hand.queue, { ring: fail }) : hand.queue,
    brake: new Brake(hand.views, hand.queue, hand.blobs),
    views: hand.views,
    alerts: new Alerts(hand.blobs, hand.journal, hand.clock),
    callbacks: hand.callbacks,
    redis: { hear: (thrown) => news.hear(thrown) },
    stepAges: { tell: () => Promise.resolve() },
    provider: IDENTITY,
    folder: '/the/place',
  });
  return { sweep: () => scene.turn(work.sweep.run()), lines, scene };
}

function proxied<Port extends object>(port: Port, changes: Partial<Port>): Port {
  return new Proxy(port, {
    get: (target, key) =>
      Reflect.get(key in changes ? changes : target, key, key in changes ? changes : target),
  });
}

describe('a sweep under guard', () => {
  it.each(['EMFILE', 'ESTALE', 'EBUSY', 'ENOTEMPTY'])(
    'fails by %s of the store, which is not taken for a Redis that is away',
    async (code) => {
      const error = Object.assign(new Error(`${code}: no luck, open`), { code, syscall: 'open' });
      const { sweep, lines } = await throwing('store', error);
      await expect(sweep()).rejects.toBe(error);
      expect(lines).toEqual([]);
    },
  );

  it('leaves a Redis that is away to those who tell of it', async () => {
    const error = Object.assign(new Error('read ECONNRESET'), {
      code: 'ECONNRESET',
      syscall: 'read',
    });
    const { sweep, lines } = await throwing('bells', error);
    await sweep();
    expect(lines).toEqual(['Redis is away (ECONNRESET); waiting for it.']);
  });

  it('tells of a full disk, and goes on with the next one', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
    const { sweep, lines, scene } = await throwing('store', full);
    await sweep();
    expect(scene.world.notices.get('disk_full')).toBe(1);
    expect(lines).toEqual([]);
  });
});
