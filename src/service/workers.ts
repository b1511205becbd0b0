/** The workers of one process: they answer bells and sweep, until they are stopped. */

import type { Listener, QueueName, WorkQueue } from '../ports/work-queue.ts';
import { bounded } from '../stages/bounded.ts';
import type { Tools } from '../stages/tools.ts';
import type { Steps } from './step.ts';

export interface WorkerSettings {
  /** Bells of a queue that are answered at once in this process. */
  readonly concurrency: Readonly<Record<QueueName, number>>;
  readonly sweepIntervalMs: number;
  /** How long running steps may go on after a stop. */
  readonly graceMs: number;
}

export interface RunningWorkers {
  /** Takes no new work; resolves when what runs has ended, or after the grace. */
  stop(graceMs?: number): Promise<void>;
  /** Sweeps now instead of at the next tick. */
  sweepNow(): Promise<void>;
}

/** Listens on these queues and sweeps; the first sweep is done when it resolves. */
export async function startWorkers(
  queues: readonly QueueName[],
  settings: WorkerSettings,
  parts: {
    tools: Tools;
    queue: WorkQueue;
    steps: Pick<Steps, 'answer'>;
    sweep: { run(): Promise<unknown> };
  },
): Promise<RunningWorkers> {
  const { tools, queue, steps, sweep } = parts;
  const stopping = new AbortController();
  const sweepSafely = async (): Promise<void> => {
    try {
      await sweep.run();
    } catch (error) {
      tools.notices.tell({
        level: 'warning',
        code: 'sweep_failed',
        message: `A sweep failed: ${error instanceof Error ? error.message : String(error)}`,
        job: null,
        chunk: null,
      });
    }
  };
  await sweepSafely();
  const listeners: Listener[] = [];
  for (const name of queues) {
    const concurrency = settings.concurrency[name];
    listeners.push(await queue.listen(name, concurrency, (bell) => steps.answer(bell)));
  }
  const sweeping = (async () => {
    while (!stopping.signal.aborted) {
      await tools.clock.sleep(settings.sweepIntervalMs, stopping.signal);
      if (!stopping.signal.aborted) await sweepSafely();
    }
  })();
  return {
    sweepNow: sweepSafely,
    stop: async (graceMs = settings.graceMs) => {
      stopping.abort();
      await Promise.all(listeners.map((listener) => listener.stop(graceMs)));
      await bounded(sweeping, graceMs, tools.clock);
    },
  };
}
