import { expect, test } from 'vitest';

import { resultRoutes } from '../../../src/http/jobs/result.ts';
import { ScanTurns } from '../../../src/http/scan-turns.ts';
import { StreamSlots } from '../../../src/http/stream-slots.ts';
import { ResultViews } from '../../../src/service/result-views.ts';
import { lineOf } from '../../service/support/answered-lines.ts';
import { storeJob, workshop } from '../../service/support/stored-job.ts';
import { eventually } from '../../support/program.ts';
import { serveJobs, withReports } from '../support/served-jobs.ts';

test('a tenant has so many downloads at once, and more when some have gone', async () => {
  const house = await workshop();
  const gate = Promise.withResolvers<void>();
  const get = house.blobs.get.bind(house.blobs);
  house.blobs.get = async (name, range) => {
    if (name.endsWith('/result.jsonl')) await gate.promise;
    return get(name, range);
  };
  const parts = {
    results: new ResultViews(house),
    slots: new StreamSlots(1, 1),
    downloads: new StreamSlots(2, 2),
    scans: new ScanTurns(),
  };
  const { url } = await serveJobs(withReports(house), resultRoutes(parts));
  const job = await storeJob(house, [lineOf('ok', 0, 9, 0)]);
  await job.merge({ succeeded: 1, failed: 0, rejected: 0 });
  const path = `${url}/v1/jobs/${job.id}/result`;
  const running = [await fetch(path), await fetch(`${path}?include=ok`)];
  const refused = await fetch(path);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '30']);
  expect(await refused.json()).toMatchObject({ code: 'too_many_streams' });
  gate.resolve();
  for (const answer of running) expect(await answer.text()).toBe(job.result.toString());
  await eventually(async () => {
    const again = await fetch(path);
    expect([again.status, await again.text()]).toEqual([200, job.result.toString()]);
  });
});
