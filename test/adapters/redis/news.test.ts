import { describe, expect, it, test } from 'vitest';

import { RedisNews } from '../../../src/adapters/redis/news.ts';
import { inWords, inWordsOfConnection, RedisTrouble } from '../../../src/adapters/redis/trouble.ts';

function systemError(code: string, syscall: string, more: object = {}): Error {
  return Object.assign(new Error(`${code}: no luck, ${syscall}`), { code, syscall, ...more });
}

function listening() {
  const lines: string[] = [];
  return { lines, news: new RedisNews((line) => lines.push(line)) };
}

describe('the news of Redis', () => {
  it.each([
    systemError('EMFILE', 'open', { path: '/data/store' }),
    systemError('ETIMEDOUT', 'read'),
    new Error('broken invariant: a step timed out'),
    new Error('OOM in a thread'),
  ])('leave what nobody met at Redis to others: $message', (error) => {
    const { lines, news } = listening();
    expect(news.hear(error)).toBe(false);
    expect(news.isTroubled).toBe(false);
    expect(lines).toEqual([]);
  });

  it('tell of its trouble once, and when that is over', () => {
    const { lines, news } = listening();
    const trouble = inWords(systemError('ECONNRESET', 'read'));
    expect([news.hear(trouble), news.hear(trouble)]).toEqual([true, true]);
    news.reached();
    expect(lines).toEqual(['Redis is away (ECONNRESET); waiting for it.', 'Redis is back.']);
  });
});

describe('in words', () => {
  test('an error that names a file is none of Redis, whoever met it', () => {
    const named = systemError('EMFILE', 'open', { path: '/data/store' });
    expect(inWords(named)).toBe(named);
    expect(inWords(systemError('ENOENT', 'connect', { address: '/run/x.sock' }))).toMatchObject({
      kind: 'away',
    });
  });

  test('a connection that fails by a file or a program means that Redis is away', () => {
    const gone = systemError('ENOENT', 'scandir', { path: '/run/batchwright' });
    const broken = new Error('/usr/bin/redis-server did not start: no such option');
    const said = [gone, broken].map(inWordsOfConnection);
    expect(said.map(({ kind, cause }) => [kind, cause])).toEqual([
      ['away', gone],
      ['away', broken],
    ]);
    expect(said[0]?.message).toBe('Redis is away (ENOENT); waiting for it.');
    const locked = inWordsOfConnection(new Error('WRONGPASS invalid username-password pair'));
    expect(locked).toBeInstanceOf(RedisTrouble);
    expect(locked.kind).toBe('password');
  });
});
