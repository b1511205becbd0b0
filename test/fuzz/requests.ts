/** Requests: aimed at the routes of the table, most of them off the mark in some way. */

import type { Random } from '../simulation/random.ts';
import type { MadeBody } from './bodies.ts';
import { makeBody } from './bodies.ts';
import { junkBytes, junkText } from './junk.ts';
import type { KnownIds } from './known-ids.ts';
import type { TableRoute } from './routes.ts';

export interface FuzzRequest {
  readonly method: string;
  /** Path and query, as they are sent. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

export interface Aim {
  readonly routes: readonly TableRoute[];
  readonly keys: readonly string[];
  readonly ids: KnownIds;
}

const METHODS = ['GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'HEAD', 'OPTIONS', 'PROPFIND', 'TRACE'];

const PATHS = ['/', '//', '/v1', '/v1/', '/v1/jobs/', '/v1//jobs', '/V1/jobs', '/favicon.ico', '*'];

export function makeRequest(random: Random, aim: Aim): FuzzRequest {
  const route = random.pick(aim.routes);
  const method = random.chance(0.9) ? route.method : random.pick(METHODS);
  const target = pathOf(random, route, aim.ids) + queryOf(random, route);
  const takesBody = route.bodies.length > 0 || random.chance(0.1);
  const body =
    takesBody && random.chance(0.95) ? makeBody(random, route.bodies, fileId(random, aim)) : null;
  return {
    method,
    target,
    headers: headersOf(random, body, aim),
    body: body?.bytes ?? Buffer.alloc(0),
  };
}

function fileId(random: Random, { ids }: Aim): string {
  return random.chance(0.8) ? ids.some(random, 'file') : junkText(random);
}

function pathOf(random: Random, { path }: TableRoute, ids: KnownIds): string {
  if (random.chance(0.03)) return random.pick(PATHS);
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    if (random.chance(0.75)) return ids.some(random, name);
    return random.chance(0.7) ? encodeURIComponent(wellFormed(junkText(random))) : junkText(random);
  });
  return random.chance(0.03) ? `${filled}/${junkText(random)}` : filled;
}

function wellFormed(text: string): string {
  return text.toWellFormed();
}

/** What a parameter may well be, whatever it is called. */
const SAMPLES = [
  '1',
  'true',
  'all',
  'failed',
  'lines',
  '10',
  '24h',
  'x',
  'batch',
  'asc',
  'running',
];

function queryOf(random: Random, { query }: TableRoute): string {
  if (random.chance(0.5)) return '';
  const pairs = Array.from({ length: random.int(0, 4) }, () => {
    const name = query.length > 0 && random.chance(0.8) ? random.pick(query) : junkText(random);
    const key = random.chance(0.15) ? `${name}[${junkText(random)}]` : name;
    const value = random.chance(0.6) ? random.pick(SAMPLES) : junkText(random);
    if (random.chance(0.1)) return `${key}=${value}`;
    return `${encodeURIComponent(wellFormed(key))}=${encodeURIComponent(wellFormed(value))}`;
  });
  return `?${pairs.join('&')}`;
}

function headersOf(random: Random, body: MadeBody | null, { keys, ids }: Aim) {
  const headers: [string, string][] = [];
  const add = (name: string, value: string, probability: number): void => {
    if (random.chance(probability)) headers.push([name, value]);
  };
  add('Authorization', authorization(random, keys), 0.97);
  if (body !== null) {
    add('Content-Type', body.type, 0.97);
    if (body.encoding !== undefined) add('Content-Encoding', body.encoding, 1);
  }
  add(
    'Range',
    random.pick(['bytes=0-9', 'bytes=-5', 'bytes=9-', 'bytes=5-1', 'x', 'bytes=0-0,2-3']),
    0.1,
  );
  add('If-Range', junkText(random), 0.03);
  add('Idempotency-Key', random.chance(0.5) ? `k-${random.int(0, 20)}` : junkText(random), 0.1);
  add('Last-Event-ID', random.chance(0.5) ? String(random.int(0, 9)) : junkText(random), 0.1);
  add('X-Request-Id', junkText(random), 0.05);
  add('Origin', random.pick(['null', 'http://evil.example', junkText(random)]), 0.04);
  add('Accept-Encoding', random.pick(['gzip', 'br;q=x', junkText(random)]), 0.05);
  add('Content-Length', random.pick(['-1', '99999999999', '0x10', '1, 2', junkText(random)]), 0.01);
  add('Transfer-Encoding', random.pick(['chunked', 'gzip', 'x', 'identity']), 0.02);
  add('webhook-id', ids.some(random, 'job'), 0.03);
  add('webhook-timestamp', random.pick(['0', '1e99', junkText(random)]), 0.03);
  add('webhook-signature', random.pick(['v1,AAAA', 'v1', junkText(random)]), 0.03);
  add(random.pick(['X-Forwarded-For', 'Forwarded', 'Cookie', 'Upgrade']), junkText(random), 0.05);
  add('X-Junk', junkBytes(random, 30).toString('latin1'), 0.02);
  add('X-Long', 'a'.repeat(random.pick([1_000, 20_000])), 0.01);
  add('Host', random.pick(['evil.example', '', 'localhost', junkText(random)]), 0.02);
  return headers;
}

function authorization(random: Random, keys: readonly string[]): string {
  if (random.chance(0.93)) return `Bearer ${random.pick(keys)}`;
  const key = random.pick(keys);
  return random.pick([
    'Bearer sk-anything',
    `Bearer ${key.slice(0, random.int(0, key.length))}`,
    `Basic ${Buffer.from(`x:${key}`).toString('base64')}`,
    `Basic ${junkText(random)}`,
    junkText(random),
  ]);
}
