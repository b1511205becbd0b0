import { createConnection } from 'node:net';

import express from 'express';
import { describe, expect, it, onTestFinished } from 'vitest';

import { sendBlocks } from '../../src/http/send-bytes.ts';
import { answerProblem, serveApp } from './support/small-app.ts';

const STALL_MS = 200;

/** An answer that never ends, one that is quiet, and one to a client that is gone already. */
async function served() {
  const cut = Promise.withResolvers<void>();
  const spoken = Promise.withResolvers<void>();
  const late = Promise.withResolvers<void>();
  const app = express();
  app.get('/endless', async (_request, response) => {
    async function* blocks() {
      try {
        for (;;) yield Buffer.alloc(64 * 1024);
      } finally {
        cut.resolve();
      }
    }
    await sendBlocks(blocks(), response, STALL_MS);
  });
  app.get('/quiet', async (_request, response) => {
    async function* blocks() {
      yield 'one ';
      await spoken.promise;
      yield 'two';
    }
    await sendBlocks(blocks(), response, STALL_MS);
  });
  app.get('/late', (_request, response) => {
    async function* blocks() {
      yield 'one';
    }
    response.destroy();
    sendBlocks(blocks(), response).then(late.resolve, late.reject);
  });
  app.use(answerProblem);
  const port = await serveApp(app);
  return { port, cut: cut.promise, speak: spoken.resolve, late: late.promise };
}

describe('an answer in blocks', () => {
  it('is cut where its client does not read, and goes on where we are quiet', async () => {
    const { port, cut, speak } = await served();
    const quiet = await fetch(`http://127.0.0.1:${port}/quiet`);
    const socket = createConnection({ port, host: '127.0.0.1' }).pause();
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined);
    socket.write('GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n');
    // By then the other answer has been quiet for longer.
    await cut;
    speak();
    expect(await quiet.text()).toBe('one two');
  });

  it('to a client that had gone before it began is nobody’s fault', async () => {
    const { port, late } = await served();
    await expect(fetch(`http://127.0.0.1:${port}/late`)).rejects.toThrow();
    await late;
  });
});
