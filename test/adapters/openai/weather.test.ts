import { assert, integer, property } from 'fast-check';
import { expect, test } from 'vitest';
import { createCleaner } from '../../../src/adapters/openai/provider-text.ts';
import { kindOfStatus, weatherOf } from '../../../src/adapters/openai/weather.ts';

const clean = createCleaner('sk-0123456789abcdef');
const refused = (address: string) =>
  Object.assign(new Error(`connect ECONNREFUSED ${address}`), {
    code: 'ECONNREFUSED',
    syscall: 'connect',
  });
const timedOut = Object.assign(new Error('connect ETIMEDOUT'), {
  code: 'ETIMEDOUT',
  syscall: 'connect',
});

test('a host with two addresses must refuse on both before nothing was sent', () => {
  const both = new AggregateError([refused('::1'), refused('127.0.0.1')], '');
  const one = new AggregateError([refused('::1'), timedOut], '');
  expect(weatherOf(both, 'creates', clean).kind).toBe('transient');
  expect(weatherOf(one, 'creates', clean).kind).toBe('unknown');
  expect(weatherOf(new AggregateError([], ''), 'creates', clean).kind).toBe('unknown');
  expect(weatherOf(both, 'creates', clean).message).toContain('127.0.0.1');
});

test('a refusal by anything but a connection attempt proves nothing', () => {
  const odd = Object.assign(new Error('read ECONNREFUSED'), {
    code: 'ECONNREFUSED',
    syscall: 'read',
  });
  expect(weatherOf(odd, 'creates', clean).kind).toBe('unknown');
});

test('whatever else is thrown leaves it open whether a batch exists', () => {
  for (const thrown of [new TypeError('x'), 'text', null, undefined, { code: 'ECONNREFUSED' }]) {
    expect(weatherOf(thrown, 'creates', clean)).toMatchObject({ kind: 'unknown', status: null });
    expect(weatherOf(thrown, 'repeatable', clean).kind).toBe('transient');
  }
});

test('a ring of causes ends', () => {
  const ring = new Error('ring');
  ring.cause = ring;
  expect(weatherOf(ring, 'creates', clean)).toMatchObject({ kind: 'unknown', message: 'ring' });
});

test('no status proves that a create did nothing, but a 429, a 425 and a definite 4xx', () => {
  assert(
    property(integer({ min: 100, max: 999 }), (status) => {
      const isProof = status >= 400 && status <= 451 && status !== 408 && status !== 409;
      expect(kindOfStatus(status, 'creates') !== 'unknown').toBe(isProof);
      expect(kindOfStatus(status, 'repeatable')).not.toBe('unknown');
    }),
  );
});
