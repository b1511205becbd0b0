/** A planned job, and a process that only sweeps, whose alerts are kept beside the job. */

import type { Alert } from '../../../src/domain/alert.ts';
import type { JobId } from '../../../src/domain/ids.ts';
import { chunkIdOf } from '../../../src/domain/ids.ts';
import { Alerts, KeptNotices } from '../../../src/service/alerts.ts';
import type { LiveBoard } from '../../../src/ports/live-board.ts';
import { Sweep } from '../../../src/service/sweep.ts';
import { Watch } from '../../../src/stages/watch.ts';
import type { Tools } from '../../../src/stages/tools.ts';
import { IDENTITY } from '../../simulation/house.ts';
import type { Profile } from '../../simulation/profile.ts';
import type { Hand } from '../../simulation/scene.ts';
import { Scene } from '../../simulation/scene.ts';

export interface Watched {
  readonly scene: Scene;
  /** Does the steps that the test wants done. */
  readonly worker: Hand;
  /** Sweeps in a process of its own, an interval later. */
  readonly sweep: () => Promise<void>;
  /** The codes of what `status` would show. */
  readonly shown: () => Promise<string[]>;
  readonly alerts: () => Promise<Alert[]>;
}

export const SWEEP_MS = 300_000;

/** `changes` go over the sweeping process's tools. */
export async function watchedJob(
  changes: (tools: Tools) => Partial<Tools> = () => ({}),
  profile: Partial<Profile> = {},
  ids: readonly string[] = ['a-ok', 'b-ok', 'c-ok', 'd-ok'],
): Promise<Watched> {
  const scene = await Scene.open(ids, { sweepIntervalMs: SWEEP_MS, ...profile });
  const worker = scene.worker('worker');
  await scene.jobUntil(worker, 'planned');
  return { scene, worker, ...(await watching(scene, 'sweeper', changes)) };
}

/** A process that only sweeps. */
export async function watching(
  scene: Scene,
  name: string,
  changes: (tools: Tools) => Partial<Tools> = () => ({}),
) {
  const hand = scene.worker(name);
  const store = new Alerts(hand.blobs, hand.journal, hand.clock);
  const notices = new KeptNotices(hand.tools.notices, store);
  const own = { ...hand.tools, notices, watch: new Watch(hand.clock) };
  const tools = { ...own, ...changes(own) };
  const sweep = new Sweep(tools, hand.queue, hand.views, store, IDENTITY, hand.callbacks);
  const alerts = (): Promise<Alert[]> => scene.turn(store.current(scene.jobState));
  return {
    sweep: async () => {
      await scene.wait(SWEEP_MS);
      try {
        await scene.turn(sweep.run());
      } finally {
        await scene.turn(notices.settled());
      }
    },
    alerts,
    shown: async () => (await alerts()).map(({ code }) => code),
  };
}

/** A job that lies elsewhere takes the slot again and again, until the test says otherwise. */
export function slotTakenByAnother() {
  const holder = { job: `job_${'z'.repeat(26)}` as JobId, chunk: chunkIdOf(0) };
  const another = { holder, isThere: true };
  const changes = ({ board }: Tools): Partial<Tools> => {
    const holders: LiveBoard['holders'] = async (model) => {
      if (another.isThere) await board.restoreSlot(model, holder);
      return board.holders(model);
    };
    const get = (target: LiveBoard, key: string | symbol): unknown =>
      key === 'holders' ? holders : Reflect.get(target, key);
    return { board: new Proxy(board, { get }) };
  };
  return { another, changes };
}
