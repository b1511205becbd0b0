/** The ordered prefix of a result as it grows, over as many connections as it takes. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { JobBody } from '../../http/contract/job-shapes.ts';
import { job as jobSchema } from '../../http/contract/job-shapes.ts';
import { getJob } from '../../http/contract/jobs.ts';
import { getResult } from '../../http/contract/results.ts';
import type { ServiceClient } from './client.ts';
import { Cuts } from './download.ts';
import { isOver } from './end.ts';
import { linesFrom } from './result-bytes.ts';

/** Between two connections. */
const PAUSE_MS = 250;

/**
 * All lines of the job in input order, each as soon as nothing before it is missing; ends with the
 * job. A prefix never changes, so a new connection's first bytes are those that were there before.
 */
export async function* followResult(id: string, service: ServiceClient): AsyncGenerator<Buffer> {
  const cuts = new Cuts();
  let sentBytes = 0;
  for (;;) {
    const job = await standing(id, service, cuts);
    if (job.result !== null) {
      if (sentBytes < job.result.size_bytes) yield* linesFrom(id, {}, sentBytes, service);
      return;
    }
    if (isOver(job)) return;
    try {
      let knownBytes = sentBytes;
      const input = { params: { job: id }, query: { follow: 1 } };
      const { blocks } = await service.open(getResult, input);
      for await (const block of blocks) {
        const fresh = block.subarray(Math.min(knownBytes, block.length));
        knownBytes -= block.length - fresh.length;
        if (fresh.length === 0) continue;
        sentBytes += fresh.length;
        cuts.forget();
        yield fresh;
      }
    } catch (error) {
      await cuts.wait(error);
    }
    // An answer that ends before its job does: the service is closing, or about to say the end.
    await sleep(PAUSE_MS);
  }
}

/** The job as it is now; a service that is away for a moment is waited for. */
async function standing(id: string, service: ServiceClient, cuts: Cuts): Promise<JobBody> {
  for (;;) {
    try {
      return await service.call(getJob, jobSchema, { params: { job: id } });
    } catch (error) {
      await cuts.wait(error);
    }
  }
}
