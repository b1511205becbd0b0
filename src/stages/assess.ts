/** What is known of a chunk's requests, from the answers that are stored. */

import type { CollectedAttempt } from '../domain/chunk.ts';
import type { Assessment, AttemptAnswers, ChunkAnswers } from './answers/assess.ts';
import { attemptFileName, chunkFileName } from './names.ts';
import type { ChunkTask, Tools } from './tools.ts';

/** Folds the stored answers of these attempts over the chunk's requests. */
export async function assess(
  task: ChunkTask,
  attempts: readonly CollectedAttempt[],
  tools: Tools,
): Promise<Assessment> {
  return tools.engines.run('assessChunk', await localAnswers(task, attempts, tools));
}

/** The local files of a chunk's requests and answers, for an engine. */
export async function localAnswers(
  task: ChunkTask,
  attempts: readonly CollectedAttempt[],
  tools: Pick<Tools, 'blobs'>,
): Promise<ChunkAnswers> {
  const local = async (file: 'lines.idx' | 'ids.bin' | 'requests.jsonl'): Promise<string> =>
    tools.blobs.toLocal(chunkFileName(task.job.id, task.chunk.id, file));
  return {
    linesPath: await local('lines.idx'),
    idsPath: await local('ids.bin'),
    requestsPath: await local('requests.jsonl'),
    attempts: await Promise.all(attempts.map((one) => localAttempt(task, one, tools))),
  };
}

async function localAttempt(
  task: ChunkTask,
  attempt: CollectedAttempt,
  tools: Pick<Tools, 'blobs'>,
): Promise<AttemptAnswers> {
  if (!attempt.hasOutput && !attempt.hasErrors) {
    const { number, errors, requests } = attempt;
    return { kind: 'invalid', attempt: number, errors, sent: requests };
  }
  const local = async (file: 'output.jsonl' | 'errors.jsonl' | 'answers.idx') =>
    tools.blobs.toLocal(attemptFileName(task.job.id, task.chunk.id, attempt.folder, file));
  return {
    kind: 'answers',
    attempt: attempt.number,
    outputPath: attempt.hasOutput ? await local('output.jsonl') : null,
    errorPath: attempt.hasErrors ? await local('errors.jsonl') : null,
    indexPath: await local('answers.idx'),
  };
}
