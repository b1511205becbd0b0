import { expect, it } from 'vitest';

import { createLog } from '../../src/adapters/log/log.ts';
import { parseTenantId } from '../../src/domain/ids.ts';
import { openService } from '../../src/composition/serve.ts';
import { tenantFilesFolder } from '../../src/stages/names.ts';
import { eventually } from '../support/program.ts';
import { call, openServiceScene } from '../support/service.ts';

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
