import { expect, it } from 'vitest';

import { createLog } from '../../src/adapters/log/log.ts';
import { parseTenantId } from '../../src/domain/ids.ts';
import { openService } from '../../src/composition/serve.ts';
import { tenantFilesFolder } from '../../src/stages/names.ts';
import { eventually } from '../support/program.ts';
import { call, openServiceScene } from '../support/service.ts';
import { asInput, requestLine } from '../support/sets.ts';

it('says for a while that it is to end, and takes no job any more', async () => {
  const { config, store, house } = await openServiceScene({ workers: false });
  const log = createLog({ level: 'silent', write: () => undefined, secrets: [] });
  const waking = Promise.withResolvers<void>();
  const clock = { ...store.clock, sleep: () => waking.promise };
  const service = await openService(config, { ...store, clock }, house, log);
  expect((await call('GET', `${service.url}/readyz`)).status).toBe(200);
  const closed = service.close(5_000, 1_000);
  const ready = await call('GET', `${service.url}/readyz`);
  expect([ready.status, ready.json['status']]).toEqual([503, 'draining']);
  const refused = await call('POST', `${service.url}/v1/jobs`, {
    body: asInput([requestLine('a')]),
    headers: { 'content-type': 'application/jsonl' },
  });
  expect([refused.status, refused.json['code']]).toEqual([503, 'draining']);
  expect(refused.headers.get('retry-after')).toBe('1');
  expect((await call('GET', `${service.url}/v1/jobs`)).json['data']).toEqual([]);
  waking.resolve();
  await closed;
  await expect(fetch(`${service.url}/readyz`)).rejects.toThrow('fetch failed');
});

it('serves all others though a file of one tenant is damaged, and tells of it', async () => {
  const { config, store, house } = await openServiceScene({ workers: false });
  const tenant = parseTenantId('acme');
  if (tenant === null) throw new Error('that is a name');
  const folder = `${tenantFilesFolder(tenant)}/file-${'0'.repeat(26)}`;
  await store.blobs.put(`${folder}/file.json`, Buffer.from('{"filename":"SECRET'));
  const lines: string[] = [];
  const log = createLog({ level: 'debug', write: (line) => void lines.push(line), secrets: [] });
  const service = await openService(config, store, house, log);
  expect((await call('GET', `${service.url}/v1/files`)).status).toBe(200);
  await eventually(() => expect(lines.join('')).toContain(`${folder}/file.json`));
  expect(lines.join('')).not.toContain('SECRET');
  await service.close(100);
});
