/** Sends a request byte for byte over a connection of its own, and reads what comes back. */

import { createConnection } from 'node:net';

import type { Random } from '../simulation/random.ts';
import { mutatedBytes } from './junk.ts';
import type { FuzzRequest } from './requests.ts';

export interface Sent {
  readonly bytes: Buffer;
  /** Whether an answer is owed: the client waits for one, and what it sent is whole. */
  readonly awaits: boolean;
}

export interface Received {
  /** 0: none came. */
  readonly status: number;
  readonly text: string;
  readonly hung: boolean;
}

/** Longer than any answer takes, shorter than the service's own limits for silence. */
const PATIENCE_MS = 20_000;

/** Answers without an end are read for so long. */
const STREAM_MS = 40;

const MAX_READ_CHARACTERS = 200_000;

/** The request on the wire: as it is, chunked, broken, cut, or with its length lied about. */
export function onWire(random: Random, request: FuzzRequest): Sent {
  const { method, target, headers, body } = request;
  const own = new Set(headers.map(([name]) => name.toLowerCase()));
  const isChunked = body.length > 0 && random.chance(0.1) && !own.has('transfer-encoding');
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...(own.has('host') ? [] : ['Host: localhost']),
    'Connection: close',
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(isChunked ? ['Transfer-Encoding: chunked'] : []),
    ...(isChunked || own.has('content-length') ? [] : [`Content-Length: ${body.length}`]),
  ];
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
  const bytes = Buffer.concat([head, isChunked ? chunked(random, body) : body]);
  if (random.chance(0.05)) return { bytes: mutatedBytes(random, bytes), awaits: false };
  if (random.chance(0.04)) {
    return { bytes: bytes.subarray(0, random.int(0, bytes.length)), awaits: false };
  }
  // A length or an encoding of the transfer that is none of ours may wait for more for ever.
  const isWhole = !own.has('content-length') && !own.has('transfer-encoding');
  return { bytes, awaits: isWhole && !/[\r\n]/.test(lines.join('')) };
}

function chunked(random: Random, body: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    const piece = body.subarray(at, at + random.int(1, body.length));
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
    at += piece.length;
  }
  return Buffer.concat([...pieces, Buffer.from('0\r\n\r\n')]);
}

/** Resolves when the answer has ended, or as much of it was seen as is needed. */
export async function send(port: number, { bytes, awaits }: Sent): Promise<Received> {
  const socket = createConnection({ port, host: '127.0.0.1', noDelay: true });
  const over = Promise.withResolvers<boolean>();
  let text = '';
  const patience = setTimeout(() => over.resolve(true), awaits ? PATIENCE_MS : STREAM_MS);
  let reading: NodeJS.Timeout | undefined;
  socket.setEncoding('latin1').on('data', (piece: string) => {
    if (text.length < MAX_READ_CHARACTERS) text += piece;
    // Events and followed results go on: their beginning says what is to be known.
    reading ??= setTimeout(() => over.resolve(false), isStream(text) ? STREAM_MS : PATIENCE_MS);
  });
  // A connection may be reset before all is written: what was answered counts.
  socket.on('error', () => undefined).on('close', () => over.resolve(false));
  socket.write(bytes);
  const hung = await over.promise;
  clearTimeout(patience);
  clearTimeout(reading);
  socket.destroy();
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text, hung: hung && awaits };
}

function isStream(text: string): boolean {
  return /^content-type: (text\/event-stream|application\/jsonl)/im.test(text);
}
