import { describe, expect, it } from 'vitest';
import { Neighbours } from '../../src/service/neighbours.ts';
import { Scene } from '../simulation/scene.ts';
import { IDENTITY } from '../simulation/house.ts';

const MINUTE_MS = 60_000;
const OTHER = { ...IDENTITY, project: 'proj_other' };

/** A job of one account, and a process of another one that sweeps once a minute. */
async function strangeJob() {
  const scene = await Scene.open(['a-ok', 'b-ok']);
  const hand = scene.worker('other');
  const other = new Neighbours(hand.tools, OTHER);
  const own = new Neighbours(scene.worker('own').tools, IDENTITY);
  const look = async (minutes: number, meanwhile: () => Promise<void> = async () => {}) => {
    for (let minute = 0; minute < minutes; minute += 1) {
      await scene.wait(MINUTE_MS);
      await meanwhile();
      await scene.turn(other.look(scene.jobState));
    }
  };
  const told = (): number => scene.world.notices.get('job_idle') ?? 0;
  return { scene, hand, own, other, look, told };
}

describe('a job of another account', () => {
  it('is told of where nobody of that account works, and again while that lasts', async () => {
    const { look, told } = await strangeJob();
    await look(5);
    expect(told()).toBe(0);
    await look(5);
    expect(told()).toBe(1);
    await look(70);
    expect(told()).toBe(2);
  });

  it('is left to its own processes while one of them sweeps, however seldom', async () => {
    const { scene, own, look, told } = await strangeJob();
    await scene.turn(own.show());
    await scene.wait(20 * MINUTE_MS);
    let minute = 0;
    await look(120, async () => {
      if (minute % 20 === 0) await scene.turn(own.show());
      minute += 1;
    });
    expect(told()).toBe(0);
    await look(45);
    expect(told()).toBe(1);
  });

  it('may stand still where its owner wants it to', async () => {
    const { scene, hand, look, told } = await strangeJob();
    const wish = { kind: 'hold', code: 'paused', message: '' } as const;
    await scene.turn((await scene.jobTask(hand)).stream.record({ type: 'wished', wish }));
    await look(60);
    expect(told()).toBe(0);
  });

  it('is told from one of the own account by provider, organisation and project', async () => {
    const { scene, own, other } = await strangeJob();
    expect(own.isOurs(scene.jobState)).toBe(true);
    expect(other.isOurs(scene.jobState)).toBe(false);
  });
});
