/** Runs rows and pairs of rows over seeds, beside each other, against one private Redis. */

import type { Judgement } from './judge.ts';
import { runCase } from './case.ts';
import { answerNames } from './names.ts';
import { startPrivateRedis } from './private-redis.ts';
import type { Row } from './row.ts';

/** Cases at once: they wait more than they work. */
const CASES_AT_ONCE = 3;

export interface MatrixCase {
  readonly rows: readonly Row[];
  readonly seed: number;
}

export interface Matrix {
  /** Runs the case, after the undisturbed run of its seed. */
  run(one: MatrixCase): Promise<Judgement>;
  /** Runs them beside each other; tells each outcome as it comes. */
  runAll(
    cases: Iterable<MatrixCase>,
    tell: (one: MatrixCase, judgement: Judgement) => void,
  ): Promise<void>;
  close(): Promise<void>;
}

export async function openMatrix(): Promise<Matrix> {
  answerNames();
  const redis = await startPrivateRedis();
  const undisturbed = new Map<number, Promise<readonly string[]>>();
  const undisturbedOf = (seed: number): Promise<readonly string[]> => {
    const known = undisturbed.get(seed) ?? runUndisturbed(seed, redis.url);
    undisturbed.set(seed, known);
    return known;
  };
  const run = async ({ rows, seed }: MatrixCase): Promise<Judgement> => {
    const lines = await undisturbedOf(seed);
    const alone = rows.find((row) => row.alone !== undefined)?.alone;
    if (alone !== undefined) {
      const wrong = await alone(seed, lines).catch((error: unknown) => [String(error)]);
      return { wrong, struck: true, lines };
    }
    return runCase({ rows, seed, redisUrl: redis.url, undisturbed: lines });
  };
  return {
    run,
    runAll: async (cases, tell) => {
      const queue = cases[Symbol.iterator]();
      const work = async (): Promise<void> => {
        for (let next = queue.next(); next.done !== true; next = queue.next()) {
          tell(next.value, await run(next.value));
        }
      };
      await Promise.all(Array.from({ length: CASES_AT_ONCE }, work));
    },
    close: () => redis.close(),
  };
}

async function runUndisturbed(seed: number, redisUrl: string): Promise<readonly string[]> {
  const { wrong, lines } = await runCase({ rows: [], seed, redisUrl, undisturbed: null });
  if (wrong.length > 0) throw new Error(`seed ${seed} fails undisturbed: ${wrong.join('; ')}`);
  return lines;
}
