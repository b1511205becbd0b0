/** Which addresses a callback may be sent to. */

import ipaddr from 'ipaddr.js';

/** Translated addresses carry an IPv4 address, and lead to it: the last or the middle bytes. */
const NAT64 = ipaddr.parseCIDR('64:ff9b::/96');
const SIX_TO_FOUR = ipaddr.parseCIDR('2002::/16');

/** All that is routed between networks: what lies outside is special, or of later meaning. */
const GLOBAL = ipaddr.parseCIDR('2000::/3');

/** Whether the address (a literal) is one that anybody on the internet could reach. */
export function isPublic(address: string): boolean {
  const plain = unwrapped(address);
  if (plain === null || plain.range() !== 'unicast') return false;
  return plain.kind() === 'ipv4' || plain.match(GLOBAL);
}

/** Whether the address (a literal) is this machine. */
export function isLoopback(address: string): boolean {
  return unwrapped(address)?.range() === 'loopback';
}

/** The address behind its wrapping; null where it is none. */
function unwrapped(address: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  if (!ipaddr.isValid(address)) return null;
  const plain = ipaddr.process(address);
  if (plain.kind() === 'ipv4') return plain;
  const bytes = plain.toByteArray();
  if (plain.match(NAT64)) return new ipaddr.IPv4(bytes.slice(12, 16));
  return plain.match(SIX_TO_FOUR) ? new ipaddr.IPv4(bytes.slice(2, 6)) : plain;
}
