import { expect, it } from 'vitest';
import { chunkIdOf } from '../../src/domain/ids.ts';
import { chunkBell } from '../../src/service/bells.ts';
import { chunkFileName } from '../../src/stages/names.ts';
import { watchedJob } from './support/watched.ts';

async function failingUpload(breakIt: (watched: Awaited<ReturnType<typeof watchedJob>>) => void) {
  const watched = await watchedJob(undefined, { maxLiveBatches: 1 });
  const { scene, worker } = watched;
  const { stream, chunk } = await scene.chunkTask(worker);
  const due = chunkBell(scene.job, chunk.id, stream.state, stream.version);
  if (due === null) throw new Error('an upload is due');
  breakIt(watched);
  await expect(scene.turn(worker.steps.answer(due.bell))).rejects.toThrow();
  return (await scene.turn(worker.tools.board.holders('model'))).map(({ holder }) => holder.chunk);
}

it('a chunk whose files are damaged leaves its slot to others', async () => {
  const holders = await failingUpload(({ scene, worker }) => {
    void worker.blobs.delete(chunkFileName(scene.job, chunkIdOf(0), 'lines.idx'));
  });
  expect(holders).toEqual([]);
});

it('a chunk that waits for a full disk keeps its slot: others would fare no better', async () => {
  const holders = await failingUpload(({ worker }) => {
    const full = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
    Object.assign(worker.tools.engines, { run: () => Promise.reject(full) });
  });
  expect(holders).toEqual([chunkIdOf(0)]);
});
