import { describe, expect, it, vi } from 'vitest';

import { ResultViews } from '../../src/service/result-views.ts';
import { jobFolder, JOBS_FOLDER, resultName } from '../../src/stages/names.ts';
import { lineOf } from './support/answered-lines.ts';
import { storeJob, workshop } from './support/stored-job.ts';

describe('the index of failed lines', () => {
  it('is made for one job at a time, the last wish first, where nobody waits', async () => {
    const house = await workshop();
    const states = [];
    for (let count = 0; count < 4; count += 1) {
      const job = await storeJob(house, [lineOf('ok', 0, 9, 0), lineOf('failed', 1, 9, 0)]);
      await job.merge({ succeeded: 1, failed: 1, rejected: 0 });
      states.push(await job.state());
    }
    const scanned: string[] = [];
    const gate = Promise.withResolvers<void>();
    let running = 0;
    let most = 0;
    const run: typeof house.engines.run = (task, input) => {
      if ('resultPath' in input) scanned.push(input.resultPath);
      running += 1;
      most = Math.max(most, running);
      return gate.promise.then(() => house.engines.run(task, input)).finally(() => (running -= 1));
    };
    const results = new ResultViews({ ...house, engines: { ...house.engines, run } });
    const [first, second, third, last] = states;
    for (const state of [first, second, third, last, second].flatMap((one) => one ?? [])) {
      expect(await results.knownSizes(state)).toBeNull();
    }
    gate.resolve();
    await vi.waitFor(() => expect([scanned.length, running]).toEqual([4, 0]));
    expect(most).toBe(1);
    const inOrder = [first, second, last, third].flatMap((state) => state?.spec.id ?? []);
    const jobs = inOrder.map((id) => scanned.findIndex((path) => path.endsWith(resultName(id))));
    expect(jobs).toEqual([0, 1, 2, 3]);
    for (const state of states) expect(await results.knownSizes(state)).not.toBeNull();
  });

  it('leaves nothing of a job that is deleted while its result is scanned', async () => {
    const house = await workshop();
    const job = await storeJob(house, [lineOf('ok', 0, 9, 0), lineOf('failed', 1, 9, 0)]);
    await job.merge({ succeeded: 1, failed: 1, rejected: 0 });
    const state = await job.state();
    const putFile = house.blobs.putFile.bind(house.blobs);
    const written = Promise.withResolvers<void>();
    house.blobs.putFile = async (name, path) => {
      await house.blobs.deleteFolder(jobFolder(job.id));
      await putFile(name, path);
      written.resolve();
    };
    expect(await new ResultViews(house).knownSizes(state)).toBeNull();
    await written.promise;
    await vi.waitFor(async () => expect(await house.blobs.list(JOBS_FOLDER)).toEqual([]));
    expect(house.told).toEqual([]);
  });

  it('tells of a scan that failed where nobody waits, and makes it at the next ask', async () => {
    const house = await workshop();
    const job = await storeJob(house, [lineOf('ok', 0, 9, 0), lineOf('failed', 1, 9, 0)]);
    await job.merge({ succeeded: 1, failed: 1, rejected: 0 });
    const state = await job.state();
    let isBroken = true;
    const run: typeof house.engines.run = (task, input) =>
      isBroken ? Promise.reject(new Error('EIO')) : house.engines.run(task, input);
    const results = new ResultViews({ ...house, engines: { ...house.engines, run } });
    expect(await results.knownSizes(state)).toBeNull();
    const message = 'The failed lines of the result could not be found: EIO';
    const notice = { code: 'step_failed', job: state.spec.id, message };
    await vi.waitFor(() => expect(house.told).toEqual([expect.objectContaining(notice)]));
    isBroken = false;
    await vi.waitFor(async () => expect(await results.knownSizes(state)).not.toBeNull());
    expect(house.told).toHaveLength(1);
  });
});
