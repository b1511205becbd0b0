import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Request, Response } from 'express';
import express from 'express';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { IntakeLimits } from '../../src/http/intake.ts';
import { takeBody } from '../../src/http/intake.ts';
import { problemOf } from '../../src/http/problem.ts';
import { endUnreadBodies } from '../../src/http/unread-body.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { answerProblem, rawRequest, serveApp } from './support/small-app.ts';

const LIMITS: IntakeLimits = {
  maxBytes: 1_000_000_000,
  claim: () => true,
  maxLineBytes: 10_000_000,
  minFreeBytes: 1_000,
  freeBytes: () => Promise.resolve(1_000_000_000_000),
  idleMs: 30_000,
};

type Body = string | Uint8Array<ArrayBuffer> | ReadableStream;

/** A service that takes bodies into one folder and gives them back. */
async function intake(limits: Partial<IntakeLimits> = {}) {
  const folder = await temporaryFolder();
  const outcomes: Promise<string>[] = [];
  const app = express();
  app.use(endUnreadBodies(50));
  const answer = async (request: Request, response: Response): Promise<void> => {
    const taken = takeBody(request, folder, { ...LIMITS, ...limits });
    outcomes.push(
      taken.then(
        () => 'taken',
        (error: unknown) => problemOf(error).code,
      ),
    );
    const { path, sizeBytes } = await taken;
    const content = await readFile(path);
    await rm(path);
    response.set('x-size', String(sizeBytes)).send(content);
  };
  app.post('/', (request, response) => answer(request, response));
  app.use(answerProblem);
  const port = await serveApp(app);
  const send = async (body: Body, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body, headers, duplex: 'half' });
  const refusal = async (body: Body, headers?: Record<string, string>) => {
    const answer = await send(body, headers);
    const { code, message, lines } = (await answer.json()) as Record<string, unknown>;
    return { status: answer.status, code, message, lines };
  };
  return { port, folder, outcomes, send, refusal };
}

const GZIP = { 'content-encoding': 'gzip' };

describe('a body', () => {
  it('arrives byte for byte, with and without a length, and gzipped', async () => {
    const { send, folder } = await intake();
    const lines = Array.from({ length: 40_000 }, (_, n) => `{"n":${n},"x":"é"}\n`).join('');
    const body = Buffer.from(lines);
    const streamed = new Blob([body]).stream();
    for (const answer of [
      await send(body),
      await send(streamed),
      await send(gzipSync(body), GZIP),
      await send(body, { 'content-encoding': 'identity' }),
      await send(Buffer.concat([gzipSync('one\n'), gzipSync(body)]), {
        'content-encoding': 'GZip',
      }),
    ]) {
      expect(answer.status).toBe(200);
      const content = Buffer.from(await answer.arrayBuffer());
      expect(answer.headers.get('x-size')).toBe(String(content.length));
      expect(content.subarray(-body.length).equals(body)).toBe(true);
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it('is refused where it is empty, of whatever form', async () => {
    const { refusal, folder } = await intake();
    const empty = { status: 400, code: 'empty_input' };
    expect(await refusal('')).toMatchObject(empty);
    expect(await refusal(gzipSync(''), GZIP)).toMatchObject(empty);
    const none = { status: 400, code: 'invalid_gzip' };
    expect(await refusal(Buffer.alloc(0), GZIP)).toMatchObject(none);
    expect(await readdir(folder)).toEqual([]);
  });

  it('is refused in every other encoding', async () => {
    const { port } = await intake();
    for (const encoding of ['br', 'deflate', 'gzip, gzip', 'zstd']) {
      const head = `POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: ${encoding}\r\n`;
      const { status, text } = await rawRequest(
        port,
        `${head}Connection: close\r\nContent-Length: 2\r\n\r\n{}`,
      );
      expect(status).toBe(415);
      expect(text).toMatch(/^accept-encoding: gzip, identity\r$/im);
    }
  });
});

describe('a line', () => {
  it('that is too long is named by its number, while the rest is still to come', async () => {
    const { refusal } = await intake({ maxLineBytes: 1_000 });
    const lines = `${'short\n'.repeat(99_998)}${'x'.repeat(1_000)}\n`;
    const body = `${lines}${'x'.repeat(1_001)}\n${'more\n'.repeat(9)}`;
    const expected = { status: 400, code: 'line_too_long', lines: [{ line: 100_000 }] };
    expect(await refusal(body)).toMatchObject(expected);
    expect(await refusal(gzipSync(body), GZIP)).toMatchObject(expected);
    expect(await refusal('y'.repeat(1_001))).toMatchObject({ lines: [{ line: 1 }] });
  });

  it('of exactly the limit is taken, also without an end', async () => {
    const { send } = await intake({ maxLineBytes: 1_000 });
    const line = 'x'.repeat(1_000);
    expect((await send(`${line}\n${line}\n${line}`)).status).toBe(200);
  });
});

describe('gzip', () => {
  it('that is damaged, cut or followed by something is refused', async () => {
    const { refusal } = await intake();
    const whole = gzipSync(randomBytes(300_000).toString('hex'));
    const damaged = Buffer.from(whole);
    damaged.fill(7, 150_000, 150_100);
    for (const body of [
      Buffer.from('{"plain":1}\n'),
      damaged,
      whole.subarray(0, -1),
      whole.subarray(0, 20),
      Buffer.concat([whole, Buffer.from('tail')]),
      Buffer.concat([whole, Buffer.from('\0tail')]),
    ]) {
      expect(await refusal(body, GZIP)).toMatchObject({ status: 400, code: 'invalid_gzip' });
    }
  });

  it('that becomes far more than it was is refused long before it is all there', async () => {
    const { port, refusal } = await intake();
    const bomb = gzipSync(Buffer.alloc(60_000_000, '\n'));
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\n';
    // The second half never comes.
    const half = bomb.subarray(0, bomb.length / 2);
    const { status, text } = await rawRequest(
      port,
      `${head}Content-Length: ${bomb.length}\r\n\r\n`,
      half,
    );
    expect(status).toBe(413);
    expect(text).toContain('too_dense');
    const small = gzipSync(Buffer.alloc(5_000_000, 'spam spam spam spam\n'));
    expect(5_000_000 / small.length).toBeGreaterThan(200);
    expect(await refusal(small, GZIP)).toMatchObject({ status: 413, code: 'too_dense' });
  });

  it('that repeats itself within reason is taken', async () => {
    const { send } = await intake();
    const rows = Array.from({ length: 30_000 }, (_, n) => `{"id":"${n * 7919}","t":"same"}\n`);
    expect((await send(gzipSync(rows.join('')), GZIP)).status).toBe(200);
    expect((await send(gzipSync(Buffer.alloc(500_000, 'a\n')), GZIP)).status).toBe(200);
  });
});

describe('room', () => {
  it('beyond the cap or the quota is refused: announced, streamed, or gzipped', async () => {
    const body = Buffer.alloc(300_000, 'line\n');
    const capped = await intake({ maxBytes: 299_999 });
    const short = await intake({ claim: (sizeBytes) => sizeBytes < 300_000 });
    for (const [{ refusal, folder }, code] of [
      [capped, 'too_large'],
      [short, 'quota_exceeded'],
    ] as const) {
      expect(await refusal(body)).toMatchObject({ status: 413, code });
      expect(await refusal(new Blob([body]).stream())).toMatchObject({ status: 413, code });
      expect(await refusal(gzipSync(body), GZIP)).toMatchObject({ status: 413, code });
      expect(await readdir(folder)).toEqual([]);
    }
    const enough = await intake({ maxBytes: 300_000, claim: (sizeBytes) => sizeBytes <= 300_000 });
    expect((await enough.send(body)).status).toBe(200);
  });

  it('on the disk is looked at before the body comes', async () => {
    const { refusal } = await intake({ freeBytes: async () => 1_100 });
    const announced = Buffer.alloc(101, 'a');
    expect(await refusal(announced)).toMatchObject({ status: 507, code: 'no_room' });
    const { send } = await intake({ freeBytes: async () => 1_100 });
    expect((await send(announced.subarray(1))).status).toBe(200);
  });

  it('is looked at again every 256 MB', async () => {
    let looks = 0;
    const freeBytes = async (): Promise<number> => {
      looks += 1;
      return looks < 2 ? 1e12 : 0;
    };
    const { refusal, folder } = await intake({ freeBytes });
    const block = new Blob([Buffer.alloc(16_000_000, 'line of text\n')]);
    const body = new Blob(Array.from({ length: 18 }, () => block)).stream();
    expect(await refusal(body)).toMatchObject({ status: 507, code: 'no_room' });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('a client', () => {
  it('that falls silent is told so', async () => {
    const { port, folder } = await intake({ idleMs: 100 });
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n';
    const { status, text } = await rawRequest(port, head, 'some');
    expect(status).toBe(408);
    expect(text).toContain('too_slow');
    expect(await readdir(folder)).toEqual([]);
  });

  it('that goes away leaves nothing behind', async () => {
    const { port, folder, outcomes } = await intake();
    for (const encoding of ['identity', 'gzip']) {
      const socket = createConnection({ port, host: '127.0.0.1' });
      onTestFinished(() => void socket.destroy());
      const head = `POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: ${encoding}\r\n`;
      socket.write(`${head}Content-Length: 100000\r\n\r\n`);
      const body = randomBytes(50_000).toString('base64');
      socket.write((encoding === 'gzip' ? gzipSync(body) : Buffer.from(body)).subarray(0, 20_000));
      await expect.poll(() => outcomes.length).toBe(encoding === 'gzip' ? 2 : 1);
      socket.resetAndDestroy();
      expect(await outcomes.at(-1)).toBe('client_gone');
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it('that is refused while it sends sees the answer, and then no more is read', async () => {
    const { port } = await intake({ maxBytes: 1_000 });
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000000000\r\n\r\n';
    const socket = createConnection({ port, host: '127.0.0.1' });
    onTestFinished(() => void socket.destroy());
    let text = '';
    socket.setEncoding('latin1').on('data', (piece: string) => (text += piece));
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(head);
    const block = Buffer.alloc(100_000, 'x\n');
    const pump = (): void => {
      while (!socket.destroyed && socket.write(block));
    };
    socket.on('drain', pump);
    pump();
    await closed;
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expect(text).toContain('too_large');
  });
});
