/**
 * Uploads a file straight from the disk: a multipart with a Content-Length over node:http. A
 * fetch, the SDK's included, is slower (bench/upload.ts), and up to Node 24 it holds the whole
 * body in memory.
 */

import { open } from 'node:fs/promises';
import type { ClientRequest } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { UploadInput } from '../../ports/batch-provider.ts';
import { addressOf, headersOf } from './connection.ts';
import type { Transfer } from './connection.ts';
import { answerOf, headOf, openRequest } from './exchange.ts';
import type { Answer } from './exchange.ts';
import { createForm } from './multipart.ts';
import type { Form } from './multipart.ts';
import { blocksOf } from './range-blocks.ts';
import { createWatchdog } from './watchdog.ts';
import type { Watchdog } from './watchdog.ts';
import { UnreadableAnswer, weatherOf } from './weather.ts';

/**
 * Sends the ranges, `sizeBytes` together, as a new file with the form's fields. Resolves to the
 * answer: a success for the whole file, or a failure of any status, also where the server refuses
 * before it took all. Rejects with `Weather` where no answer came and with the system's own error
 * where the disk failed.
 */
export async function uploadRanges(
  transfer: Transfer,
  fields: Readonly<Record<string, string>>,
  input: UploadInput,
  sizeBytes: number,
): Promise<Answer> {
  const form = createForm(fields, input.filename);
  const file = await open(input.localPath, 'r');
  try {
    const lengthBytes = form.head.length + sizeBytes + form.tail.length;
    const request = openUpload(transfer, form, lengthBytes);
    return await exchange(transfer, request, form, blocksOf(file, input.ranges));
  } finally {
    await file.close();
  }
}

function openUpload(transfer: Transfer, form: Form, lengthBytes: number): ClientRequest {
  return openRequest(addressOf(transfer.connection, '/files'), {
    method: 'POST',
    headers: {
      ...headersOf(transfer.connection),
      'content-type': form.contentType,
      'content-length': String(lengthBytes),
    },
    agents: null,
  });
}

async function exchange(
  transfer: Transfer,
  request: ClientRequest,
  form: Form,
  blocks: AsyncIterable<Buffer>,
): Promise<Answer> {
  const watchdog = createWatchdog(request, transfer.stallMs, 'the upload did not move');
  const answer = headOf(request).then((response) => {
    watchdog.expectWithin(transfer.stallMs, 'the answer did not end');
    return answerOf(response);
  });
  const sent = sendBody(request, form, blocks, watchdog).then(
    (isComplete) => {
      if (isComplete) watchdog.expectWithin(transfer.answerMs, 'no answer to the upload');
      return { isComplete };
    },
    (fault: unknown) => {
      request.destroy();
      return { fault };
    },
  );
  const [heard] = await Promise.allSettled([answer]);
  request.destroy();
  watchdog.stop();
  const body = await sent;
  if ('fault' in body) throw body.fault;
  if (heard.status === 'rejected') throw weatherOf(heard.reason, 'repeatable', transfer.clean);
  const { status } = heard.value;
  if (body.isComplete || status >= 300) return heard.value;
  const early = new UnreadableAnswer('a success was announced before the whole file was sent');
  throw weatherOf(early, 'repeatable', transfer.clean, status);
}

/**
 * Resolves to whether the whole body went out; stops early where the connection closed or the
 * server already refused. Rejects only with faults of the disk.
 */
async function sendBody(
  request: ClientRequest,
  form: Form,
  blocks: AsyncIterable<Buffer>,
  watchdog: Watchdog,
): Promise<boolean> {
  let isOver = false;
  const closed = new Promise<void>((resolve) => {
    request.once('close', () => {
      isOver = true;
      resolve();
    });
  });
  request.once('response', ({ statusCode = 0 }) => {
    if (statusCode >= 300) isOver = true;
  });
  let pending = write(request, form.head, watchdog);
  for await (const block of blocks) {
    await Promise.race([pending, closed]);
    // A refusal may lie unread in front of a reset, and a write that meets the reset loses it.
    // Two turns hold one whole look at the socket: with one, a quarter of them were lost.
    await nextTurn();
    await nextTurn();
    if (isOver) return false;
    pending = write(request, block, watchdog);
  }
  await Promise.race([pending, closed]);
  if (isOver) return false;
  request.end(form.tail);
  return true;
}

/** Resolves when the block is in the kernel's hands: then its memory may be used again. */
function write(request: ClientRequest, block: Buffer, watchdog: Watchdog): Promise<void> {
  return new Promise((resolve) => {
    request.write(block, (error) => {
      if (!error) watchdog.fed();
      resolve();
    });
  });
}
