import { describe, expect, it } from 'vitest';
import { chunkIdOf } from '../../src/domain/ids.ts';
import { invariant } from '../../src/domain/errors.ts';
import type { Engines } from '../../src/stages/engines.ts';
import { merge } from '../../src/stages/merge.ts';
import { manifestName, partName, resultName } from '../../src/stages/names.ts';
import { planJob } from '../../src/stages/plan-job.ts';
import { settle } from '../../src/stages/settle.ts';
import type { Tools } from '../../src/stages/tools.ts';
import type { Hand } from '../simulation/scene.ts';
import { Scene } from '../simulation/scene.ts';

type Output<Name extends keyof Engines> = Awaited<ReturnType<Engines[Name]>>;

/** What an engine says instead of the truth. */
type Lies = { readonly [Name in keyof Engines]?: (truth: Output<Name>) => Output<Name> };

/** A job of one settled chunk, whose engines tell these lies on the way; and its merge. */
async function settledJob(lies: Lies = {}) {
  const scene = await Scene.open(['a-ok', 'b-final']);
  const hand = scene.worker('worker');
  const tools: Tools = { ...hand.tools, engines: lying(hand, lies) };
  await scene.turn(planJob(await scene.jobTask(hand), tools));
  await scene.chunkUntil(hand, 'settling');
  await scene.turn(settle(await scene.chunkTask(hand), tools));
  await scene.turn(hand.sweep.run());
  const join = async () => {
    const task = await scene.jobTask(hand);
    const { chunk } = await scene.chunkTask(hand);
    return scene.turn(merge(task, [chunk], async () => scene.chunk, tools));
  };
  return { scene, join };
}

function lying({ tools }: Hand, lies: Lies): Tools['engines'] {
  return {
    ...tools.engines,
    run: async (task, input) => {
      const truth: never = (await tools.engines.run(task, input)) as never;
      const lie: ((truth: never) => unknown) | undefined = lies[task];
      return (lie === undefined ? truth : lie(truth)) as never;
    },
  };
}

/** A plan that says something else than was planned. */
function planWith(changes: (plan: PlannedPlan) => Partial<PlannedPlan>): Lies {
  return {
    planRequestSet: (truth) =>
      truth.kind === 'planned'
        ? { ...truth, plan: { ...truth.plan, ...changes(truth.plan) } }
        : truth,
  };
}

type PlannedPlan = Extract<Output<'planRequestSet'>, { kind: 'planned' }>['plan'];

const LIES: [what: string, lies: Lies, says: string][] = [
  [
    'a plan of more lines than have answers',
    planWith(({ counts }) => ({ counts: { ...counts, lines: 3 } })),
    '2 answers for 3 lines',
  ],
  [
    'a plan with blank lines that nobody left out',
    planWith(({ counts }) => ({ counts: { ...counts, blank: 1 } })),
    '2 answers for 1 lines',
  ],
  [
    'a plan with a rejected line that has another answer',
    planWith(({ counts }) => ({ counts: { ...counts, rejected: 1 } })),
    'every rejected line is answered as rejected',
  ],
  [
    'a plan of other ids',
    planWith(() => ({ idsDigest: '0'.repeat(64) })),
    'the ids of the result stand in input order',
  ],
  [
    'ids that come out in another order',
    { writeResult: (truth) => ({ ...truth, idsDigest: '0'.repeat(64) }) },
    'the ids of the result stand in input order',
  ],
  [
    'a part that counts less than its lines',
    { settleChunk: (truth) => ({ ...truth, failed: 0 }) },
    'outcomes add up to the lines',
  ],
  [
    'a part with another checksum than its bytes have',
    { settleChunk: (truth) => ({ ...truth, crc32: '00000000' }) },
    'is the part that was recorded',
  ],
  [
    'a result of another size than was hashed',
    { hashResult: (truth) => ({ ...truth, sizeBytes: truth.sizeBytes + 1 }) },
    'what is hashed has the size of the result',
  ],
  [
    'a result of other lines than were hashed',
    { hashResult: (truth) => ({ ...truth, lines: 1 }) },
    'what is hashed has the lines that are written',
  ],
];

describe('a merge', () => {
  it('delivers a result of which everything fits', async () => {
    const { scene, join } = await settledJob();
    await join();
    expect(scene.jobState).toMatchObject({
      status: 'merged',
      result: { lines: 2, succeeded: 1, failed: 1, rejected: 0 },
    });
  });

  for (const [what, lies, says] of LIES) {
    it(`refuses ${what}, and delivers nothing`, async () => {
      const { scene, join } = await settledJob(lies);
      await expect(join()).rejects.toThrow(says);
      await expectNothing(scene);
    });
  }

  it('refuses a part whose bytes have changed since, and delivers nothing', async () => {
    const { scene, join } = await settledJob();
    invariant(scene.chunk.status === 'settled', 'the chunk has its part');
    const name = partName(scene.job, chunkIdOf(0), scene.chunk.part);
    const changed = scene.world.store.peek(name).toString().replace('b-final', 'b-fatal');
    await scene.world.store.put(name, Buffer.from(changed));
    await expect(join()).rejects.toThrow('is the part that was recorded');
    await expectNothing(scene);
  });
});

async function expectNothing({ job, jobState, world }: Scene): Promise<void> {
  expect(jobState.status).toBe('planned');
  expect(await world.store.get(resultName(job))).toBeNull();
  expect(await world.store.get(manifestName(job))).toBeNull();
}
