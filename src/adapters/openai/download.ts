/**
 * Downloads a file's content to the disk. Nothing about a body can be trusted to say that it was
 * cut: the length, a watchdog and the size that the provider states are checked here, the lines
 * by who reads them.
 */

import type { IncomingMessage } from 'node:http';
import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { failedAnswerFrom } from './answer-body.ts';
import { addressOf, headersOf } from './connection.ts';
import type { Transfer } from './connection.ts';
import { answerOf, headOf, openRequest } from './exchange.ts';
import { createWatchdog } from './watchdog.ts';
import type { Watchdog } from './watchdog.ts';
import { UnreadableAnswer, weatherOf, weatherOfAnswer } from './weather.ts';

const MAX_REDIRECTS = 5;

/**
 * Writes the content to a new local file, fsynced; no file stays where it rejects. `statedBytes`
 * is the size by the provider's word, 0 where it gave none. Rejects with `Weather`, or with the
 * system's own error where the disk failed.
 */
export async function downloadContent(
  transfer: Transfer,
  fileId: string,
  localPath: string,
  statedBytes: number,
): Promise<{ sizeBytes: number }> {
  const file = await open(localPath, 'wx');
  let isWhole = false;
  try {
    const sizeBytes = await fetchInto(transfer, fileId, file);
    if (statedBytes > 0 && sizeBytes !== statedBytes) {
      const message = `${fileId} came with ${sizeBytes} of ${statedBytes} bytes`;
      throw weatherOf(new UnreadableAnswer(message), 'repeatable', transfer.clean, 200);
    }
    await file.sync();
    isWhole = true;
    return { sizeBytes };
  } finally {
    await file.close();
    if (!isWhole) await rm(localPath, { force: true });
  }
}

async function fetchInto(transfer: Transfer, fileId: string, file: FileHandle): Promise<number> {
  let url = addressOf(transfer.connection, `/files/${encodeURIComponent(fileId)}/content`);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const outcome = await fetchOnce(transfer, url, file);
    if (typeof outcome === 'number') return outcome;
    url = outcome;
  }
  const error = new UnreadableAnswer(`${fileId} is redirected without an end`);
  throw weatherOf(error, 'repeatable', transfer.clean);
}

/** The bytes written, or the address to which the content has moved. */
async function fetchOnce(transfer: Transfer, url: URL, file: FileHandle): Promise<number | URL> {
  const request = openRequest(url, {
    method: 'GET',
    headers: contentHeaders(transfer, url),
    agents: null,
  });
  const watchdog = createWatchdog(request, transfer.stallMs, 'the download did not move');
  const head = headOf(request);
  request.end();
  try {
    const response = await head.catch(toWeather(transfer));
    const moved = redirectOf(response, url);
    if (moved !== null) return moved;
    if ((response.statusCode ?? 0) >= 300) {
      const answer = await answerOf(response).catch(toWeather(transfer));
      throw weatherOfAnswer(failedAnswerFrom(answer), 'repeatable', transfer.clean);
    }
    refuseEncoded(response, transfer);
    return await write(response, file, watchdog, transfer);
  } finally {
    watchdog.stop();
    request.destroy();
  }
}

/** The key goes to the provider alone, not to the store to which it may send us. */
function contentHeaders(transfer: Transfer, url: URL): Record<string, string> {
  const all = { ...headersOf(transfer.connection), accept: '*/*' };
  if (url.origin === new URL(transfer.connection.baseUrl).origin) return all;
  return {
    accept: all.accept,
    'accept-encoding': 'identity',
    'user-agent': transfer.connection.userAgent,
  };
}

/** Where a redirect leads, except from https down to http. */
function redirectOf(response: IncomingMessage, from: URL): URL | null {
  const { location } = response.headers;
  if (![301, 302, 303, 307, 308].includes(response.statusCode ?? 0)) return null;
  if (location === undefined || !URL.canParse(location, from)) return null;
  const to = new URL(location, from);
  const isSafe = to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:');
  return isSafe ? to : null;
}

function refuseEncoded(response: IncomingMessage, transfer: Transfer): void {
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return;
  const error = new UnreadableAnswer(`the content came ${encoding}-encoded, unasked`);
  throw weatherOf(error, 'repeatable', transfer.clean, 200);
}

async function write(
  response: IncomingMessage,
  file: FileHandle,
  watchdog: Watchdog,
  transfer: Transfer,
): Promise<number> {
  const chunks: AsyncIterator<Buffer> = response[Symbol.asyncIterator]();
  let sizeBytes = 0;
  for (;;) {
    const next = await chunks.next().catch(toWeather(transfer));
    if (next.done) return sizeBytes;
    await file.appendFile(next.value);
    watchdog.fed();
    sizeBytes += next.value.length;
  }
}

function toWeather(transfer: Transfer): (error: unknown) => never {
  return (error) => {
    throw weatherOf(error, 'repeatable', transfer.clean);
  };
}
