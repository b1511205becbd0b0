import { describe, expect, it } from 'vitest';

import { callbackUrlProblem } from '../../../src/adapters/webhook/callback-url.ts';

describe('a callback URL', () => {
  it.each([
    'https://receiver.example/hook',
    'https://receiver.example:8443/hook?token=a',
    'https://8.8.8.8/hook',
    'https://[2606:4700::1111]/hook',
    'HTTPS://Receiver.Example',
  ])('may be %s', (url) => {
    expect(callbackUrlProblem(url, false)).toBeNull();
    expect(callbackUrlProblem(url, true)).toBeNull();
  });

  it.each([
    'hook',
    '',
    'ftp://receiver.example/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'https://',
    'https:// receiver.example/',
    ' https://receiver.example/',
    'https://receiver.example/\nhook',
    'https://receiver.example/\u0000',
    'https://r\u00e9ceiver.example/',
    'https://name:password@receiver.example/',
    'https://name@receiver.example/',
    `https://receiver.example/${'a'.repeat(2_048)}`,
    'https://localhost/',
    'https://LOCALHOST./',
    'https://a.localhost/',
    'https://127.0.0.1/',
    'https://127.0.0.1./',
    'https://127.1/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0/',
    'https://[::1]/',
    'https://[::]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://10.0.0.1/',
    'https://169.254.169.254/latest/meta-data/',
    'https://2852039166/',
    'https://[fd00::1]/',
    'https://[fe80::1]/',
    'https://100.64.0.1/',
    'https://0.0.0.0/',
    'http://receiver.example/hook',
    'http://8.8.8.8/hook',
    'http://10.0.0.1/hook',
    'http://localhost.example/hook',
    'http://127.0.0.1.example/hook',
  ])('is never %j', (url) => {
    expect(callbackUrlProblem(url, false)).toEqual(expect.any(String));
    expect(callbackUrlProblem(url, true)).toEqual(expect.any(String));
  });

  it.each([
    'http://127.0.0.1:9000/hook',
    'http://localhost:9000/hook',
    'http://[::1]:9000/hook',
    'http://receiver.localhost/hook',
    'http://2130706433/hook',
  ])('is %s only where the service is bound to loopback', (url) => {
    expect(callbackUrlProblem(url, true)).toBeNull();
    expect(callbackUrlProblem(url, false)).toBe('must begin with https://');
  });
});
