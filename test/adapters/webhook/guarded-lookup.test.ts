import { createServer } from 'node:net';
import type { AddressInfo, LookupFunction } from 'node:net';
import { connect } from 'node:net';
import { once } from 'node:events';

import { expect, onTestFinished, test } from 'vitest';

import { guardedLookup } from '../../../src/adapters/webhook/guarded-lookup.ts';

const V4 = { address: '127.0.0.1', family: 4 };
const V6 = { address: '::1', family: 6 };

function answerOf(lookup: LookupFunction, all: boolean) {
  const { promise, resolve } = Promise.withResolvers<unknown[]>();
  lookup('a.example', { all }, (...answer) => resolve(answer));
  return promise;
}

test('what was checked is handed on, all of it or the first', async () => {
  const checked: string[] = [];
  const isAllowed = (address: string) => checked.push(address) > 0;
  const lookup = guardedLookup(async () => [V6, V4], isAllowed);
  expect(await answerOf(lookup, true)).toEqual([null, [V6, V4]]);
  expect(checked).toEqual(['::1', '127.0.0.1']);
  expect(await answerOf(lookup, false)).toEqual([null, '::1', 6]);
});

test('one address that is not allowed is enough to refuse, and so is none', async () => {
  const onlyV4 = (address: string) => address === V4.address;
  for (const addresses of [[V4, V6], []]) {
    const lookup = guardedLookup(async () => addresses, onlyV4);
    for (const all of [true, false]) {
      const [error] = await answerOf(lookup, all);
      expect(error).toMatchObject({ code: 'ADDRESS_BLOCKED' });
    }
  }
});

test('a look-up that fails says so', async () => {
  const error = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
  const lookup = guardedLookup(
    () => Promise.reject(error),
    () => true,
  );
  expect((await answerOf(lookup, true))[0]).toBe(error);
});

test('a connection asks once, and goes where the answer says', async () => {
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  let asked = 0;
  const resolve = async () => {
    asked += 1;
    return [V4];
  };
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host: 'a.example', port, lookup: guardedLookup(resolve, () => true) });
  await once(socket, 'connect');
  expect(socket.remoteAddress).toBe('127.0.0.1');
  expect(asked).toBe(1);
  socket.destroy();
});
