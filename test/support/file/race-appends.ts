/**
 * A program that races for the objects `race/0` … `race/<count - 1>` of a store:
 * `race-appends.ts <root> <count>` prints the numbers that it won.
 */

import { createFileBlobStore } from '../../../src/adapters/file/blob-store.ts';

const [root = '', count = '0'] = process.argv.slice(2);
const store = createFileBlobStore(root);
const won: number[] = [];
for (let index = 0; index < Number(count); index += 1) {
  const outcome = await store.putIfAbsent(`race/${index}`, Buffer.from(String(process.pid)));
  if (outcome === 'created') won.push(index);
}
console.log(JSON.stringify({ pid: process.pid, won }));
