/** The adapters in memory keep the contracts that the real ones keep. */

import { blobStoreContract } from '../../contract/blob-store.ts';
import { journalContract } from '../../contract/journal.ts';
import { liveBoardContract } from '../../contract/live-board.ts';
import { workQueueContract } from '../../contract/work-queue.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { MemoryBlobStore } from './blob-store.ts';
import { MemoryLiveBoard } from './live-board.ts';
import { filesIn } from './local-files.ts';
import { MemoryWorkQueue } from './work-queue.ts';

const openStore = async () =>
  new MemoryBlobStore(filesIn(await temporaryFolder()), () => Date.now());

blobStoreContract('the store in memory', openStore);

journalContract('the store in memory', openStore);

liveBoardContract('the board in memory', async () => {
  const board = new MemoryLiveBoard(() => performance.now());
  return {
    board,
    forget: async () => board.forget(),
    close: () => board.close(),
  };
});

workQueueContract('the bells in memory', async () => {
  const queue = new MemoryWorkQueue();
  return { queue, close: () => queue.close() };
});
