/**
 * A program that writes more than fits: `overfill.ts <root> <local file>` prints the code of each
 * failure and what is left in the store.
 */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { createFileBlobStore } from '../../../src/adapters/file/blob-store.ts';

const [root = '', local = ''] = process.argv.slice(2);
const store = createFileBlobStore(root);
const tooMuch = Buffer.alloc(8 * 1024 * 1024, 'x');
await store.put('kept', Buffer.from('old'));
const codes = await Promise.all([
  codeOf(store.put('kept', tooMuch)),
  codeOf(store.putIfAbsent('new', tooMuch)),
  codeOf(store.putFile('moved', local)),
]);
const kept = (await store.get('kept'))?.toString();
const names = await store.list('');
console.log(JSON.stringify({ codes, kept, names, left: readdirSync(join(root, '.tmp')) }));

async function codeOf(write: Promise<unknown>): Promise<unknown> {
  return write.then(
    () => 'written',
    (error: unknown) => (error as { code?: unknown }).code,
  );
}
