/** Bodies: good ones of each kind that the routes take, and what is made of them. */

import { deflateSync, gzipSync } from 'node:zlib';

import type { Random } from '../simulation/random.ts';
import { junkBytes, junkText, mutatedBytes, mutatedJson } from './junk.ts';

export interface MadeBody {
  readonly type: string;
  /** Absent: the header is left out. */
  readonly encoding?: string;
  readonly bytes: Buffer;
}

const ENDPOINT = '/v1/chat/completions';
const BOUNDARY = 'fuzzboundary';

/** Types that a route might be sent without being for it. */
const OTHER_TYPES = ['text/plain', 'application/xml', 'application/json; charset=utf-16', '', ';'];

/** A body for a route that takes these types; `fileId` may be somebody's. */
export function makeBody(random: Random, types: readonly string[], fileId: string): MadeBody {
  const type = random.chance(0.9) && types.length > 0 ? random.pick(types) : junkType(random);
  const body = random.chance(0.1)
    ? { type, bytes: junkBytes(random, random.int(0, 300)) }
    : bodyOf(random, type, fileId);
  return encoded(
    random,
    random.chance(0.3) ? { ...body, bytes: mutatedBytes(random, body.bytes) } : body,
  );
}

function junkType(random: Random): string {
  const known = ['application/json', 'application/jsonl', 'multipart/form-data', ...OTHER_TYPES];
  return random.chance(0.8) ? random.pick(known) : junkText(random);
}

function bodyOf(random: Random, type: string, fileId: string): MadeBody {
  if (type.startsWith('multipart/')) return form(random);
  if (type.includes('jsonl') || type.includes('ndjson')) return { type, bytes: requestSet(random) };
  const wish = jsonWish(random, fileId);
  const text = random.chance(0.85) ? mutatedJson(random, wish) : JSON.stringify(wish);
  return { type, bytes: Buffer.from(text) };
}

function jsonWish(random: Random, fileId: string): Record<string, unknown> {
  return random.pick([
    {
      input_file_id: fileId,
      endpoint: ENDPOINT,
      completion_window: '24h',
      metadata: { a: 'b' },
      output_expires_after: { anchor: 'created_at', seconds: 3_600 },
    },
    { input_file_id: fileId, name: 'x', dry_run: random.chance(0.7), max_requests: 2 },
    { input_file_id: fileId, base_url: 'http://evil.example', callback_url: 'http://10.0.0.1/' },
    { all: true },
    { classes: ['batch_expired'] },
    { id: 'evt_1', type: 'batch.completed', data: { id: 'batch_1' } },
  ]);
}

/** A few request lines, good and bad. */
function requestSet(random: Random): Buffer {
  const lines = Array.from({ length: random.int(0, 6) }, (_, index) => {
    const request = {
      custom_id: random.chance(0.9) ? `r-${index}` : junkText(random),
      method: 'POST',
      url: ENDPOINT,
      body: { model: 'gpt-4o-mini', messages: [{ role: 'user', content: junkText(random) }] },
    };
    return random.chance(0.2) ? mutatedJson(random, request) : JSON.stringify(request);
  });
  return Buffer.from(lines.join(random.chance(0.9) ? '\n' : '\r\n'));
}

function form(random: Random): MadeBody {
  const file = `name="file"; filename="${random.chance(0.8) ? 'in.jsonl' : junkText(random)}"`;
  const parts = [
    part('name="purpose"', random.chance(0.8) ? 'batch' : junkText(random)),
    part(file, requestSet(random)),
    part('name="expires_after[anchor]"', 'created_at'),
    part('name="expires_after[seconds]"', random.chance(0.5) ? '3600' : junkText(random)),
    part(`name="${junkText(random)}"`, junkText(random)),
    part(file, 'again'),
  ];
  const chosen = random.chance(0.5)
    ? parts.slice(0, 2)
    : random.shuffled(parts).slice(0, random.int(0, parts.length));
  const end = Buffer.from(random.chance(0.9) ? `--${BOUNDARY}--\r\n` : '');
  const boundary = random.chance(0.9) ? BOUNDARY : junkText(random);
  const type = `multipart/form-data; boundary=${boundary}`;
  return { type, bytes: Buffer.concat([...chosen, end]) };
}

function part(head: string, content: string | Buffer): Buffer {
  const opening = `--${BOUNDARY}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`;
  return Buffer.concat([Buffer.from(opening), Buffer.from(content), Buffer.from('\r\n')]);
}

function encoded(random: Random, body: MadeBody): MadeBody {
  switch (random.int(0, 11)) {
    case 0:
      return { ...body, encoding: 'gzip', bytes: gzipSync(body.bytes) };
    case 1:
      return { ...body, encoding: 'gzip', bytes: mutatedBytes(random, gzipSync(body.bytes)) };
    case 2:
      return { ...body, encoding: 'gzip' };
    case 3:
      return { ...body, encoding: 'deflate', bytes: deflateSync(body.bytes) };
    case 4:
      return { ...body, encoding: random.pick(['br', 'identity', 'zstd', 'gzip, gzip', 'x']) };
    default:
      return body;
  }
}
