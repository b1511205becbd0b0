import { expect, test } from 'vitest';
import { failures, listErrors } from '../../../src/http/contract/results.ts';
import { errorRoutes } from '../../../src/http/jobs/errors.ts';
import { ScanTurns } from '../../../src/http/scan-turns.ts';
import { ResultViews } from '../../../src/service/result-views.ts';
import { httpErrorLine } from '../../stages/answers/made-answers.ts';
import { isOk, mixed } from '../../service/support/answered-lines.ts';
import { storeJob, workshop } from '../../service/support/stored-job.ts';
import { serveJobs, withReports } from '../support/served-jobs.ts';

/** A job of 90 lines with ten of `400 bad`, and one of `503 busy` behind them. */
async function served() {
  const house = await workshop();
  const { url } = await serveJobs(
    withReports(house),
    errorRoutes({ results: new ResultViews(house), scans: new ScanTurns() }),
  );
  const busy = httpErrorLine('busy', 503, 'busy');
  const lines = [...mixed(90, () => 0), { id: 'busy', chunk: 0, answer: busy }];
  const job = await storeJob(house, lines);
  const ask = async (query: string, id: string = job.id) => {
    const answer = await fetch(`${url}${listErrors.path.replace('{job}', id)}${query}`);
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const succeeded = lines.filter(isOk).length;
  const merge = () => job.merge({ succeeded, failed: lines.length - succeeded, rejected: 0 });
  return { house, ask, merge };
}

test('failures are grouped by class, the largest group first', async () => {
  const { ask, merge } = await served();
  await merge();
  const { body } = await ask('');
  expect(failures.parse(body)).toEqual(body);
  expect(body).toEqual({
    object: 'failure_groups',
    failed: 11,
    groups: [
      {
        class: '400 bad',
        retryable: false,
        count: 10,
        sample_ids: ['id-4', 'id-13', 'id-22'],
        message: 'no',
      },
      { class: '503 busy', retryable: true, count: 1, sample_ids: ['busy'], message: 'no' },
    ],
  });
  const one = await ask('?class=503%20busy');
  expect(one.body['groups']).toHaveLength(1);
});

test('failures are listed line by line, in pages, of every class or of one', async () => {
  const { ask, merge } = await served();
  await merge();
  const lines: unknown[] = [];
  let pages = 0;
  for (let after: string | null = '0'; after !== null; pages += 1) {
    const { body } = await ask(`?view=lines&limit=4&after=${after}`);
    expect(failures.parse(body)).toEqual(body);
    lines.push(...(body['data'] as { line: number }[]).map(({ line }) => line));
    expect(body['has_more']).toBe(body['next'] !== null);
    after = body['next'] as string | null;
  }
  expect(lines).toEqual([5, 14, 23, 32, 41, 50, 59, 68, 77, 86, 91]);
  expect(pages).toBe(3);
  const busy = await ask('?view=lines&class=503%20busy');
  expect(busy.body['data']).toEqual([
    {
      object: 'failure',
      line: 91,
      custom_id: 'busy',
      class: '503 busy',
      retryable: true,
      message: 'no',
    },
  ]);
});

test('the first bad lines of a refused job are shown with their numbers', async () => {
  const { house, ask } = await served();
  const refused = await storeJob(
    house,
    mixed(4, () => 0),
  );
  await refused.refuse();
  const line = { class: 'invalid_json', retryable: false, message: 'It is no JSON.' };
  expect((await ask('?view=lines', refused.id)).body).toEqual({
    object: 'list',
    data: [{ object: 'failure', line: 3, custom_id: null, ...line }],
    has_more: false,
    next: null,
  });
  expect((await ask('', refused.id)).body).toEqual({
    object: 'failure_groups',
    failed: 1,
    groups: [{ ...line, count: 1, sample_ids: [] }],
  });
  expect((await ask('?view=lines&after=3', refused.id)).body['data']).toEqual([]);
});

test('failures are refused before the job is over, and with a wish that is none', async () => {
  const { ask } = await served();
  expect(await ask('')).toMatchObject({ status: 409, body: { code: 'not_finished' } });
  for (const query of ['?view=all', '?limit=0', '?limit=1001', '?after=-1', '?after=x', '?x=1']) {
    expect((await ask(query)).status, query).toBe(400);
  }
});
