/** Points of what goes to Redis: the rings of bells, and the live board's commands. */

import { Queue } from 'bullmq';
import { Redis } from 'ioredis';

import type { Striker } from './striker.ts';

type Method = (this: unknown, ...args: unknown[]) => Promise<unknown>;

/** The live board's scripts by a command that only one of them uses; the first that fits. */
const SCRIPTS: readonly (readonly [string, string])[] = [
  ["'parked'", 'slot taking'],
  ['ZPOPMIN', 'slot freeing'],
  ['ZREMRANGEBYLEX', 'job dropping'],
  ['WITHSCORES', 'slot listing'],
  ['ZADD', 'slot restoring'],
];

export function patchRedis(striker: Striker): void {
  const around = (
    prototype: object,
    name: string,
    nameOf: (self: unknown, args: unknown[]) => string,
    verb: string,
  ) => {
    const methods = prototype as Record<string, Method>;
    const original = methods[name];
    if (original === undefined) throw new Error(`there is no ${name} to patch`);
    methods[name] = async function (...args) {
      const object = nameOf(this, args);
      striker.reach(object, 'before', verb);
      const value = await original.apply(this, args);
      striker.reach(object, 'after', verb);
      return value;
    };
  };
  around(Queue.prototype, 'add', (queue) => `bell ${(queue as Queue).name}`, 'ring');
  around(
    Redis.prototype,
    'eval',
    (_redis, [script]) => `board ${scriptOf(String(script))}`,
    'send',
  );
}

function scriptOf(text: string): string {
  return SCRIPTS.find(([command]) => text.includes(command))?.[1] ?? 'script';
}
