/** Rows about the machine that the program runs on. */

import { MovingClock } from '../moving-clock.ts';
import type { Row } from '../row.ts';
import { stopByTerm } from '../term.ts';
import { openWorkshop } from '../workshop.ts';

const DAY_MS = 86_400_000;

export const MACHINE_ROWS: readonly Row[] = [
  clockSet('a day ahead', DAY_MS),
  clockSet('a day back', -DAY_MS),
  {
    name: 'frozen between decision and create',
    fault: 'the process is frozen for 90 s between its decision and its create',
    outcome: 'the create is past its deadline and not sent; decided anew; one batch',
    act: async ({ onNext, clock, until, notices, events }) => {
      onNext('submitting', () => {
        clock.frozenMs += 90_000;
      });
      await until(() => notices.some(({ code }) => code === 'not_created'));
      return events.includes('unsent') ? [] : ['the create was not given up'];
    },
    maxAttempts: 1,
  },
  {
    name: 'two processes that do not hear each other',
    fault: 'two processes do every step of a job at once: locks are lost, every bell rings twice',
    outcome: 'one append wins; the loser stops; one batch each',
    maxAttempts: 1,
    act: async ({ dataDir, redisUrl, shop, job, until }) => {
      const other = await openWorkshop({
        dataDir,
        baseUrl: shop.config.OPENAI_BASE_URL,
        redisUrl: `${redisUrl}/1`,
        clock: new MovingClock(),
        settings: {},
        notices: { tell: () => undefined },
        onCall: () => undefined,
      });
      try {
        await until(async () => (await shop.store.views.job(job))?.status === 'done');
      } finally {
        await other.close();
      }
    },
  },
  {
    name: 'SIGTERM',
    fault: 'SIGTERM',
    outcome: 'takes no new work, ends within 30 s; the same command goes on',
    mixes: false,
    alone: stopByTerm,
  },
];

function clockSet(words: string, offsetMs: number): Row {
  return {
    name: `clock ${words}`,
    fault: `the clock is set ${words} in the middle of a job`,
    outcome: 'waits are monotonic: no early end, no second batch',
    maxAttempts: 1,
    act: async ({ clock, simulator, until }) => {
      await until(() => simulator.ledger.totals().batchesCreated > 0);
      clock.wallOffsetMs = offsetMs;
    },
  };
}
