/** A program that is half-way in a write for ever: `die-writing.ts <root>` says when it is. */

import { createFileBlobStore } from '../../../src/adapters/file/blob-store.ts';

await createFileBlobStore(process.argv[2] ?? '').put(
  'slow',
  (async function* () {
    yield Buffer.alloc(100_000, 'x');
    console.log('half-way');
    await new Promise((resolve) => setInterval(resolve, 3_600_000));
  })(),
);
