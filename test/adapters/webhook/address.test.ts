import { describe, expect, it } from 'vitest';

import { isLoopback, isPublic } from '../../../src/adapters/webhook/address.ts';

describe('a public address', () => {
  it.each([
    '8.8.8.8',
    '1.1.1.1',
    '172.15.0.1',
    '172.32.0.1',
    '2606:4700::1111',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
    '2002:808:808::1',
  ])('is %s', (address) => {
    expect(isPublic(address)).toBe(true);
  });

  it.each([
    ['this machine', '127.0.0.1'],
    ['this machine', '127.255.255.254'],
    ['this machine', '::1'],
    ['this machine, mapped', '::ffff:127.0.0.1'],
    ['this machine, mapped', '::ffff:7f00:1'],
    ['this machine, translated', '::ffff:0:127.0.0.1'],
    ['this machine by NAT64', '64:ff9b::7f00:1'],
    ['this machine by 6to4', '2002:7f00:1::'],
    ['this machine as IPv6 once wrote it', '::7f00:1'],
    ['none', '0.0.0.0'],
    ['none', '0.1.2.3'],
    ['none', '::'],
    ['private', '10.1.2.3'],
    ['private', '172.16.0.1'],
    ['private', '172.31.255.255'],
    ['private', '192.168.0.1'],
    ['private, mapped', '::ffff:10.0.0.1'],
    ['private by NAT64', '64:ff9b::a00:1'],
    ['a local translation', '64:ff9b:1::808:808'],
    ['private', 'fd00::1'],
    ['private', 'fc00::1'],
    ['private, as it once was', 'fec0::1'],
    ['link-local', '169.254.1.1'],
    ['metadata of clouds', '169.254.169.254'],
    ['metadata of clouds, mapped', '::ffff:169.254.169.254'],
    ['link-local', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['carrier-grade NAT', '100.64.0.1'],
    ['carrier-grade NAT', '100.127.255.255'],
    ['documentation', '192.0.2.1'],
    ['documentation', '2001:db8::1'],
    ['benchmarks', '198.18.0.1'],
    ['multicast', '224.0.0.1'],
    ['multicast', 'ff02::1'],
    ['broadcast', '255.255.255.255'],
    ['reserved', '240.0.0.1'],
    ['Teredo', '2001::1'],
    ['of no meaning yet', '4000::1'],
    ['no address', 'localhost'],
    ['no address', ''],
  ])('is not one that is %s: %s', (_, address) => {
    expect(isPublic(address)).toBe(false);
  });
});

describe('this machine', () => {
  it('is loopback, mapped or not, and nothing else', () => {
    const ours = ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'];
    expect(ours.filter((address) => !isLoopback(address))).toEqual([]);
    const others = ['0.0.0.0', '::', '10.0.0.1', '8.8.8.8', 'localhost', '::2'];
    expect(others.filter((address) => isLoopback(address))).toEqual([]);
  });
});
