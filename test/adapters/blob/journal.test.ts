import { createFileBlobStore } from '../../../src/adapters/file/blob-store.ts';
import { journalContract } from '../../contract/journal.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

journalContract('the file store', async () => createFileBlobStore(await temporaryFolder()));
