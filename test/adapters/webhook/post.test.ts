import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';

import { expect, onTestFinished, test } from 'vitest';

import { guardedLookup, systemResolve } from '../../../src/adapters/webhook/guarded-lookup.ts';
import { post } from '../../../src/adapters/webhook/post.ts';
import { startReceiver } from '../../support/receiver.ts';
import { SELF_SIGNED_CERTIFICATE, SELF_SIGNED_KEY } from '../../support/self-signed.ts';

const CALL = {
  headers: { 'webhook-id': 'a' },
  body: '{}',
  lookup: guardedLookup(systemResolve, () => true),
  timeoutMs: 5_000,
};

/** A receiver by https whose certificate nobody has vouched for. */
async function startSecureReceiver(): Promise<{ port: number; heard: string[] }> {
  const heard: string[] = [];
  const keys = { key: SELF_SIGNED_KEY, cert: SELF_SIGNED_CERTIFICATE };
  const server = createServer(keys, (request, response) => {
    heard.push(String(request.headers['webhook-id']));
    request.resume().on('end', () => response.writeHead(200).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, heard };
}

test('a certificate that nobody vouches for ends the call before anything is sent', async () => {
  const { port, heard } = await startSecureReceiver();
  const url = new URL(`https://localhost:${port}/`);
  await expect(post(url, CALL)).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  expect(heard).toEqual([]);
});

test('a certificate that is trusted has to be the name’s own', async () => {
  const before = getCACertificates('default');
  setDefaultCACertificates([...before, SELF_SIGNED_CERTIFICATE]);
  onTestFinished(() => setDefaultCACertificates(before));
  const { port, heard } = await startSecureReceiver();
  expect(await post(new URL(`https://localhost:${port}/`), CALL)).toBe(200);
  expect(heard).toEqual(['a']);
  const lookup = guardedLookup(
    async () => [{ address: '127.0.0.1', family: 4 }],
    () => true,
  );
  const url = new URL(`https://other.example:${port}/`);
  const call = post(url, { ...CALL, lookup });
  await expect(call).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  expect(heard).toEqual(['a']);
});

test('a connection that is cut before the answer rejects, after its head it does not', async () => {
  const cut = await startReceiver((call) => (response) => {
    if (call === 1) return void response.destroy();
    response.writeHead(200, { 'content-length': '100' }).write('x', () => response.destroy());
  });
  await expect(post(new URL(cut.url), CALL)).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(await post(new URL(cut.url), CALL)).toBe(200);
});

test('each call has a connection of its own', async () => {
  const { url, heard } = await startReceiver();
  await post(new URL(url), CALL);
  expect(heard[0]?.headers['connection']).toBe('close');
});
