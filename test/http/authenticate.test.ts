import express from 'express';
import { describe, expect, it } from 'vitest';
import { createFileBlobStore } from '../../src/adapters/file/blob-store.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createIds } from '../../src/adapters/system/ids.ts';
import type { TenantId } from '../../src/domain/ids.ts';
import type { AuthenticationRules } from '../../src/http/authenticate.ts';
import { createAuthenticate } from '../../src/http/authenticate.ts';
import { AccessKeys } from '../../src/service/access-keys.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { answerProblem, serveApp } from './support/small-app.ts';

const ACME = { tenant: 'acme' as TenantId, role: 'tenant', name: '' } as const;
const OPERATOR = { tenant: 'ops' as TenantId, role: 'admin', name: '' } as const;

async function door(rules: Partial<AuthenticationRules> = {}) {
  const clock = createSystemClock();
  const keys = new AccessKeys(
    createFileBlobStore(await temporaryFolder()),
    createIds(clock),
    clock,
  );
  const authenticate = createAuthenticate(keys, {
    isLoopback: true,
    failuresPerMinute: 1_000,
    ...rules,
  });
  const app = express();
  for (const access of ['tenant', 'operator', 'admin'] as const) {
    app.get(`/${access}`, async (request, response) => {
      response.json(await authenticate(request, access));
    });
  }
  app.use(answerProblem);
  const port = await serveApp(app);
  const ask = async (path: string, authorization?: string, more: Record<string, string> = {}) => {
    const headers = { ...more, ...(authorization === undefined ? {} : { authorization }) };
    const answer = await fetch(`http://127.0.0.1:${port}/${path}`, { headers });
    const { status } = answer;
    const kept = [...answer.headers].filter(([name]) => name !== 'date');
    return { status, body: await answer.text(), headers: Object.fromEntries(kept) };
  };
  return { keys, ask };
}

function basic(password: string): string {
  return `Basic ${Buffer.from(`anybody:${password}`).toString('base64')}`;
}

describe('a service without keys', () => {
  it('takes everybody on loopback for the local tenant, with any bearer or none', async () => {
    const { ask } = await door();
    const local = JSON.stringify({ tenant: 'local', role: 'tenant' });
    for (const bearer of [undefined, 'Bearer sk-anything', 'nonsense']) {
      expect(await ask('tenant', bearer)).toMatchObject({ status: 200, body: local });
    }
  });

  it('takes nobody whom a proxy hands on: they may come from anywhere', async () => {
    const { ask } = await door();
    for (const name of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip']) {
      expect(await ask('tenant', 'Bearer any', { [name]: '1.1 proxy' })).toMatchObject({
        status: 401,
      });
    }
  });

  it('lets nobody be its administrator, and nobody in at all beyond loopback', async () => {
    const { ask } = await door();
    expect((await ask('operator')).status).toBe(200);
    expect((await ask('admin', 'Bearer x')).status).toBe(401);
    const far = await door({ isLoopback: false });
    expect((await far.ask('tenant')).status).toBe(401);
    expect((await far.ask('operator')).status).toBe(401);
  });
});

describe('a service with keys', () => {
  it('takes a right key for its tenant, and admins alone where they are meant', async () => {
    const { keys, ask } = await door();
    const { text } = await keys.create(ACME);
    const { text: admin } = await keys.create(OPERATOR);
    const acme = JSON.stringify({ tenant: 'acme', role: 'tenant' });
    expect(await ask('tenant', `Bearer ${text}`)).toMatchObject({ status: 200, body: acme });
    expect(await ask('tenant', `bearer  ${text} `)).toMatchObject({ status: 200, body: acme });
    for (const path of ['operator', 'admin']) {
      expect((await ask(path, `Bearer ${text}`)).status).toBe(403);
    }
    expect((await ask('admin', `Bearer ${admin}`)).status).toBe(200);
    expect((await ask('tenant', `Bearer ${admin}`)).status).toBe(200);
  });

  it('answers no key and every kind of wrong one alike', async () => {
    const { keys, ask } = await door();
    const { text, key } = await keys.create(ACME);
    await keys.revoke(key.prefix);
    const none = await ask('tenant');
    expect(none).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
    for (const wrong of [
      `Bearer ${text}`,
      `Bearer ${text.slice(0, 16)}${'A'.repeat(43)}`,
      `Bearer bw_zzzzzzzzzzzz_${'A'.repeat(43)}`,
      'Bearer sk-proj-abc',
      'Bearer',
      `Token ${text}`,
      `Basic ${text}`,
      basic(text),
    ]) {
      expect(await ask('tenant', wrong)).toEqual(none);
    }
    expect(none.body).not.toContain(text);
  });

  it('takes an administrator’s key as a browser’s password, on their pages only', async () => {
    const { keys, ask } = await door();
    const { text } = await keys.create(OPERATOR);
    const challenge = (await ask('admin')).headers['www-authenticate'];
    expect(challenge).toMatch(/^Basic realm="batchwright"/);
    expect((await ask('admin', basic(text))).status).toBe(200);
    expect((await ask('tenant', basic(text))).status).toBe(401);
    expect((await ask('admin', basic('wrong'))).status).toBe(401);
  });

  it('tells an address that goes on trying to wait, and opens to a right key still', async () => {
    const { keys, ask } = await door({ failuresPerMinute: 3 });
    const { text } = await keys.create(ACME);
    const statuses = [];
    for (let turn = 0; turn < 5; turn += 1) statuses.push((await ask('tenant', 'Bearer x')).status);
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    const refused = await ask('tenant');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask('tenant', `Bearer ${text}`)).status).toBe(200);
  });
});
