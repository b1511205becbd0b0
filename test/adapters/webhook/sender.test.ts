import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import { Webhook } from 'standardwebhooks';
import { describe, expect, it, onTestFinished } from 'vitest';

import { createCallbackSender } from '../../../src/adapters/webhook/sender.ts';
import type { SenderOptions } from '../../../src/adapters/webhook/sender.ts';
import { startReceiver } from '../../support/receiver.ts';

const SECRETS = [1, 2].map(() => `whsec_${randomBytes(24).toString('base64')}`);

function senderWith(options: Partial<SenderOptions> = {}) {
  const usual = { secrets: SECRETS, allowLoopback: true, userAgent: 'batchwright/0' };
  return createCallbackSender({ ...usual, ...options });
}

function callbackTo(url: string) {
  return { url, id: 'job_1_completed', atMs: Date.now(), body: '{"type":"job.completed","ü":1}' };
}

/** Where every name leads to these addresses. */
function leadingTo(...addresses: string[]) {
  const asked: string[] = [];
  const resolve = async (hostname: string) => {
    asked.push(hostname);
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  return { asked, resolve };
}

describe('a callback', () => {
  it('is signed with every secret, as a verifier of Standard Webhooks wants it', async () => {
    const { url, heard } = await startReceiver(() => 200);
    const callback = callbackTo(url);
    expect(await senderWith().send(callback)).toEqual({ kind: 'answered', status: 200 });
    expect(heard).toHaveLength(1);
    const { headers, body } = heard[0] ?? { headers: {}, body: '' };
    expect(body).toBe(callback.body);
    for (const secret of SECRETS) {
      expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(callback.body));
    }
    expect(headers).toMatchObject({
      'webhook-id': callback.id,
      'content-type': 'application/json',
      'user-agent': 'batchwright/0',
      'content-length': String(Buffer.byteLength(callback.body)),
    });
    const stranger = new Webhook(randomBytes(24).toString('base64'));
    expect(() => stranger.verify(body, headers)).toThrow();
  });

  it('is not sent without a secret', async () => {
    const { url, heard } = await startReceiver();
    const sender = senderWith({ secrets: [] });
    expect(sender.canSign).toBe(false);
    expect(await sender.send(callbackTo(url))).toMatchObject({ kind: 'unanswered' });
    expect(heard).toEqual([]);
  });

  it('follows no redirect', async () => {
    const other = await startReceiver();
    const redirect = await startReceiver(
      () => (response) => response.writeHead(307, { location: other.url }).end(),
    );
    const answer = await senderWith().send(callbackTo(redirect.url));
    expect(answer).toEqual({ kind: 'answered', status: 307 });
    expect(other.heard).toEqual([]);
  });

  it('ends at its time limit where no answer comes', async () => {
    const { url } = await startReceiver(() => () => undefined);
    const answer = await senderWith({ timeoutMs: 100 }).send(callbackTo(url));
    expect(answer).toEqual({ kind: 'unanswered', reason: 'no answer within 0.1 s' });
  });

  it('ends at its time limit where a name is looked up for ever', async () => {
    const resolve = () => new Promise<never>(() => undefined);
    const sender = senderWith({ timeoutMs: 100, resolve });
    expect(await sender.send(callbackTo('https://slow.example/'))).toMatchObject({
      reason: 'no answer within 0.1 s',
    });
  });

  it('counts as answered when the head of an answer came, though its body never ends', async () => {
    const { url } = await startReceiver(() => (response) => response.writeHead(202).write('x'));
    const answer = await senderWith({ timeoutMs: 200 }).send(callbackTo(url));
    expect(answer).toEqual({ kind: 'answered', status: 202 });
  });

  it('reads at most 64 KB of an answer', async () => {
    let writtenBytes = 0;
    const { url } = await startReceiver(() => (response) => {
      const block = Buffer.alloc(65_536);
      response.writeHead(200);
      const write = (): void => {
        while (!response.destroyed && response.write(block)) writtenBytes += block.length;
        response.once('drain', write);
      };
      write();
    });
    const answer = await senderWith().send(callbackTo(url));
    expect(answer).toEqual({ kind: 'answered', status: 200 });
    // What the kernel's buffers of both ends took besides; an endless answer has no other end.
    expect(writtenBytes).toBeLessThan(32_000_000);
  });

  it('names no path, no query and no text of the receiver where it fails', async () => {
    const server = createServer((socket) => socket.end('SECRET nonsense\r\n\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const answer = await senderWith().send(callbackTo(`http://127.0.0.1:${port}/SECRET?SECRET`));
    expect(answer.kind).toBe('unanswered');
    expect(JSON.stringify(answer)).not.toContain('SECRET');
    server.close();
  });

  it('says that nobody listens', async () => {
    const { url } = await startReceiver();
    const dead = new URL(url);
    dead.port = '1';
    const answer = await senderWith().send(callbackTo(dead.href));
    expect(answer).toEqual({ kind: 'unanswered', reason: 'ECONNREFUSED' });
  });
});

describe('a callback to where it may not go', () => {
  it.each([
    ['127.0.0.1'],
    ['::1'],
    ['::ffff:127.0.0.1'],
    ['10.0.0.1'],
    ['169.254.169.254'],
    ['fd00::1'],
    ['100.64.0.1'],
    ['0.0.0.0'],
    ['8.8.8.8', '127.0.0.1'],
    ['2606:4700::1111', '::1'],
    [],
  ])('is stopped where the name leads to %s %s', async (...addresses) => {
    const { resolve, asked } = leadingTo(...addresses);
    const { url, heard } = await startReceiver();
    const { port } = new URL(url);
    const answer = await senderWith({ resolve }).send(callbackTo(`https://evil.example:${port}/`));
    expect(answer).toEqual({
      kind: 'unanswered',
      reason: 'its name leads to an address that is not public',
    });
    expect(asked).toEqual(['evil.example']);
    expect(heard).toEqual([]);
  });

  it('is stopped where the address stands in the URL, and nothing is looked up', async () => {
    const { resolve, asked } = leadingTo('8.8.8.8');
    const { url, heard } = await startReceiver();
    const { port } = new URL(url);
    const sender = senderWith({ resolve, allowLoopback: false });
    for (const host of ['127.0.0.1', '[::1]', '0x7f.1', '2130706433', '[::ffff:127.0.0.1]']) {
      const answers = [`http://${host}:${port}/`, `https://${host}:${port}/`].map((target) =>
        sender.send(callbackTo(target)),
      );
      for (const answer of await Promise.all(answers)) expect(answer.kind).toBe('unanswered');
    }
    expect(heard).toEqual([]);
    expect(asked).toEqual([]);
  });

  it('is stopped at the connection, whatever the name led to when the URL was taken', async () => {
    const { url, heard } = await startReceiver();
    const target = `https://rebinding.example:${new URL(url).port}/`;
    const { resolve, asked } = leadingTo('127.0.0.1');
    const sender = senderWith({ resolve });
    expect(sender.problemOf(target)).toBeNull();
    for (const tries of [1, 2]) {
      expect(await sender.send(callbackTo(target))).toMatchObject({ kind: 'unanswered' });
      expect(asked).toHaveLength(tries);
    }
    expect(heard).toEqual([]);
  });

  it('goes by plain http to this machine alone, and only in development', async () => {
    const { url, heard } = await startReceiver();
    const named = url.replace('127.0.0.1', 'receiver.localhost');
    const here = leadingTo('127.0.0.1');
    const away = leadingTo('8.8.8.8');
    expect(await senderWith(here).send(callbackTo(named))).toMatchObject({ status: 204 });
    expect(await senderWith(away).send(callbackTo(named))).toMatchObject({ kind: 'unanswered' });
    const open = senderWith({ ...here, allowLoopback: false });
    expect(await open.send(callbackTo(named))).toMatchObject({ kind: 'unanswered' });
    expect(await open.send(callbackTo(url))).toMatchObject({ kind: 'unanswered' });
    expect(heard).toHaveLength(1);
  });
});
