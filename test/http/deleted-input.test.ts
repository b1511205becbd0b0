import { dirname } from 'node:path';

import { expect, it } from 'vitest';

import { call } from '../support/service.ts';
import { CHAT, chatLines, openDoor } from './openai/door.ts';

it('a file that is deleted while a job is made of it is one that is not there', async () => {
  const { url, store, upload } = await openDoor({ workers: false });
  const { blobs } = store;
  const toLocal = blobs.toLocal.bind(blobs);
  blobs.toLocal = async (name) => {
    await blobs.deleteFolder(dirname(name));
    return toLocal(name);
  };
  const wish = async () => ({ input_file_id: (await upload(chatLines(1))).id, endpoint: CHAT });
  const batch = { ...(await wish()), completion_window: '24h' };
  const refused = await call('POST', `${url}/v1/batches`, { body: batch });
  expect([refused.status, refused.json['error']]).toMatchObject([400, { code: 'file_not_found' }]);
  const job = await call('POST', `${url}/v1/jobs`, { body: await wish() });
  expect([job.status, job.json['code']]).toEqual([404, 'unknown_file']);
});
