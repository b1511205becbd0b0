import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, it, onTestFinished } from 'vitest';
import { BodySink } from '../../src/http/body-sink.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const LIMITS = {
  maxBytes: 1_000_000_000,
  claim: () => true,
  maxLineBytes: 10_000_000,
  minFreeBytes: 0,
  freeBytes: () => Promise.resolve(Infinity),
};

/** A file on a disk that can be written to and does not keep it. */
async function forgetfulFile() {
  const handle = await open(join(await temporaryFolder(), 'body'), 'wx+');
  onTestFinished(() => handle.close());
  const eio = Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });
  handle.datasync = () => Promise.reject(eio);
  return handle;
}

it('does not take a body of which the disk has lost a part on the way', async () => {
  const block = Buffer.alloc(1_000_000, 'a line\n');
  // With 70 MB the flush that fails is the last one: nothing is written after it.
  for (const blocks of [70, 150]) {
    const sink = new BodySink(await forgetfulFile(), LIMITS);
    const body = Readable.from(Array.from({ length: blocks }, () => block));
    await expect(pipeline(body, sink)).rejects.toMatchObject({ code: 'EIO' });
  }
});
