/** Which objects below a job's folder nothing of ours would have put there. */

import type { JobId } from '../domain/ids.ts';
import type { PlannedChunk } from '../domain/plan.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import { isJobObject } from '../stages/job-objects.ts';
import { jobFolder } from '../stages/names.ts';

/** Sentences that name them. What a crash left under a name of ours is not strange. */
export async function strangeNames(
  job: JobId,
  chunks: readonly PlannedChunk[],
  blobs: BlobStore,
): Promise<string[]> {
  const planned = new Set<string>(chunks.map((chunk) => chunk.id));
  const strange: string[] = [];
  const visit = async (folder: string): Promise<void> => {
    for (const name of await blobs.list(folder)) {
      const path = `${folder}/${name}`;
      if (name.endsWith('/')) {
        await visit(path.slice(0, -1));
        continue;
      }
      const below = path.slice(jobFolder(job).length + 1);
      const chunk = /(?:journal|settled|chunks)\/(c\d{6})/.exec(below)?.[1];
      const isPlanned = chunk === undefined || planned.has(chunk);
      if (!isJobObject(below) || !isPlanned) strange.push(`${path} does not belong to the job.`);
    }
  };
  await visit(jobFolder(job));
  return strange;
}
