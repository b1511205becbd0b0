import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';

import { Fleet } from '../support/fleet.ts';
import { eventually } from '../support/program.ts';
import { startReceiver } from '../support/receiver.ts';
import { asInput, requestLine } from '../support/sets.ts';
import { openScene } from './scene.ts';

const SECRET = `whsec_${randomBytes(24).toString('base64')}`;

test('a callback outlives the workers that finished its job, and is made by the next', async () => {
  const { url, heard } = await startReceiver();
  const env = { BATCHWRIGHT_WEBHOOK_SECRET: SECRET };
  const fleet = await Fleet.in(await openScene([]), env);
  await fleet.startService();
  // This one does the job, and has nothing to sign with.
  const mute = await fleet.startWorker([], { BATCHWRIGHT_WEBHOOK_SECRET: '' });
  const job = await fleet.submit(asInput([requestLine('a')]), `?callback_url=${url}`);
  await eventually(async () => expect((await fleet.look(job)).status).toBe('completed'));
  const pending = join(fleet.place.dataDir, 'store/local/callbacks');
  await eventually(async () => expect(await readdir(pending)).toEqual([`${job}.json`]));
  await mute.kill();
  expect(heard).toEqual([]);

  const worker = await fleet.startWorker();
  await eventually(() => expect(heard).toHaveLength(1));
  const { body, headers } = heard[0] ?? { body: '', headers: {} };
  expect(new Webhook(SECRET).verify(body, headers)).toMatchObject({
    type: 'job.completed',
    data: { job, status: 'completed' },
  });
  await eventually(async () => expect(await readdir(pending)).toEqual([]));
  worker.signal('SIGTERM');
  expect((await worker.ended).code).toBe(0);
  expect(heard).toHaveLength(1);
});
