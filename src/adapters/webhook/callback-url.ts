/** What may be a callback URL, as far as it can be told before its name is looked up. */

import { isIP } from 'node:net';
import { isLoopback, isPublic } from './address.ts';

const MAX_CHARACTERS = 2_048;

/** Blanks and what is no visible ASCII: parsers differ in what they make of it. */
const STRANGE = /[^\x21-\x7e]/;

/** What is wrong with the URL, in words; null: nothing. */
export function callbackUrlProblem(text: string, allowLoopback: boolean): string | null {
  if (text.length > MAX_CHARACTERS) return `is longer than ${MAX_CHARACTERS} characters`;
  const url = STRANGE.test(text) ? null : URL.parse(text);
  if (url === null) return 'is not a URL of visible ASCII characters';
  if (url.username !== '' || url.password !== '') return 'must hold neither a name nor a password';
  if (url.protocol === 'https:') {
    return mayBePublic(url) ? null : 'must lead to a public address';
  }
  if (!allowLoopback) return 'must begin with https://';
  if (url.protocol === 'http:' && isNamedLoopback(url)) return null;
  return 'must begin with https://, or lead to this machine with http://';
}

/** The address that the URL names without a look-up; null: it has a name. */
export function literalOf({ hostname }: URL): string | null {
  const literal = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(literal) === 0 ? null : literal;
}

function mayBePublic(url: URL): boolean {
  const literal = literalOf(url);
  return literal === null ? !isNamedLoopback(url) : isPublic(literal);
}

function isNamedLoopback(url: URL): boolean {
  const literal = literalOf(url);
  return literal === null ? /^(.+\.)?localhost\.?$/.test(url.hostname) : isLoopback(literal);
}
