/** Two programs on one data directory share a private Redis that is killed under them. */

import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import type { Running } from '../support/program.ts';
import { Random } from '../simulation/random.ts';
import { OutageJob, type JobSize } from './job.ts';
import { conclude, type DisturbedRun, type Recovery } from './disturb.ts';

const RECOVERY_LIMIT_MS = 60_000;

/** Kills the server, its owner or its guest, `kills` times, and starts again who was killed. */
export async function runEmbedded(
  size: JobSize,
  kills: number,
  say: (line: string) => void,
): Promise<DisturbedRun> {
  const job = await OutageJob.prepare(size, {});
  const random = new Random(size.seed + 2);
  const recoveries: Recovery[] = [];
  const { controls } = job.simulator;
  let pair: [Running, Running] = [job.start(), job.start()];
  const disturb = async (): Promise<void> => {
    await controls.until('batch_created', undefined, { deadlineMs: RECOVERY_LIMIT_MS });
    for (let index = 0; index < kills; index += 1) {
      if (job.progress() > (index + 1) / (kills + 2)) controls.pause();
      else controls.resume();
      await delay(random.int(0, 300));
      const victim = random.pick(['server', 'owner', 'guest'] as const);
      pair = await kill(victim, pair, job);
      const backMs = performance.now();
      await job.bellsAnswered(RECOVERY_LIMIT_MS);
      const recoveryMs = performance.now() - backMs;
      recoveries.push({ outage: { kind: 'embedded', victim }, recoveryMs });
      say(`${index + 1}: ${victim} killed: bells answered after ${recoveryMs.toFixed(0)} ms`);
    }
  };
  try {
    const failure = await disturb().then(
      () => null,
      (error: Error) => error.message,
    );
    const [one, other] = pair;
    const run = await conclude(job, one, recoveries, failure);
    const { code, stderr } = await other.ended;
    const faults = code === 0 ? run.faults : [...run.faults, `a program ended with ${code}`];
    return { ...run, faults, stderr: `${run.stderr}---\n${stderr}` };
  } finally {
    await job.clear();
  }
}

/** Resolves to the pair that runs then. */
async function kill(
  victim: 'server' | 'owner' | 'guest',
  pair: [Running, Running],
  job: OutageJob,
): Promise<[Running, Running]> {
  const [one, other] = pair;
  const serverOf = new Map<Running, number>();
  for (const program of pair) {
    const pid = await serverPid(program.pid);
    if (pid !== null) serverOf.set(program, pid);
  }
  const owner = serverOf.has(other) ? other : one;
  const guest = owner === one ? other : one;
  if (victim === 'server') {
    const pid = serverOf.get(owner);
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
    return pair;
  }
  const killed = victim === 'owner' ? owner : guest;
  await killed.kill();
  return [killed === owner ? guest : owner, job.start()];
}

/** The pid of the redis-server that is the program's own child; null: it has none. */
async function serverPid(pid: number): Promise<number | null> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  for (const child of children.split(' ').filter((text) => text !== '')) {
    const name = await readFile(`/proc/${child}/comm`, 'utf8').catch(() => '');
    if (name.startsWith('redis')) return Number(child);
  }
  return null;
}
