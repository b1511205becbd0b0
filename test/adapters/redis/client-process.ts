/**
 * A process that works on a shared private Redis, driven by messages: `[command, ...args]` goes to
 * its worker connection, `close` ends it in order. It tells the server's pid where it owns it.
 */

import { openRedis, type RedisSettings } from '../../../src/adapters/redis/open.ts';

const settings = JSON.parse(process.argv[2] ?? '') as Omit<RedisSettings, 'log'>;
const redis = await openRedis({ ...settings, log: () => undefined });
const connection = redis.connect('worker');

process.on('message', (message: string[] | 'close') => {
  if (message === 'close') {
    void redis.close().then(() => process.disconnect?.());
    return;
  }
  const [command = '', ...args] = message;
  const answer = (reply: unknown): void => void process.send?.({ reply });
  void connection.call(command, ...args).then(answer);
});
process.send?.({ serverPid: redis.serverPid() });
