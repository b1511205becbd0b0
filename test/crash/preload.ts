/**
 * Loaded before the real program, in its threads too (`node --import`): turns every call that
 * leaves the program into points, and obeys the orders of strike.ts. Nothing in the program
 * knows of it.
 */

import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

import { patchCallbackFiles, patchSyncFiles } from './patch-files.ts';
import { patchPromisedFiles } from './patch-promised-files.ts';
import { patchRequests } from './patch-requests.ts';
import { patchRedis } from './patch-redis.ts';
import { ObjectNames } from './objects.ts';
import { ordersIn } from './strike.ts';
import { Striker } from './striker.ts';

const orders = ordersIn(process.env);
if (orders.strikes.length > 0 || orders.recordTo !== undefined) {
  const striker = new Striker(orders);
  const names = new ObjectNames();
  const descriptors = new Map<number, string>();
  patchSyncFiles(striker, names, descriptors);
  patchCallbackFiles(striker, names, descriptors);
  await patchPromisedFiles(striker, names);
  if (isMainThread) {
    patchRequests(striker);
    patchRedis(striker);
  }
  syncBuiltinESMExports();
}
