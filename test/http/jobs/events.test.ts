import { expect, test } from 'vitest';
import { endEvent, jobEvent, progressEvent } from '../../../src/http/contract/results.ts';
import { eventRoutes } from '../../../src/http/jobs/events.ts';
import { StreamSlots } from '../../../src/http/stream-slots.ts';
import { JobFeeds } from '../../../src/service/job-feeds.ts';
import { jobFolder } from '../../../src/stages/names.ts';
import { mixed } from '../../service/support/answered-lines.ts';
import type { StoredJob } from '../../service/support/stored-job.ts';
import { storeJob, workshop } from '../../service/support/stored-job.ts';
import { eventually } from '../../support/program.ts';
import { quickClock, serveJobs, withReports } from '../support/served-jobs.ts';

const COUNTS = { succeeded: 3, failed: 1, rejected: 0 };

async function served({ slots = 20 } = {}) {
  const made = await workshop();
  let looks = 0;
  const journal: typeof made.journal = {
    ...made.journal,
    load: (stream) => {
      looks += 1;
      return made.journal.load(stream);
    },
    append: (...event) => made.journal.append(...event),
    history: (stream) => made.journal.history(stream),
  };
  const clock = quickClock(made.clock);
  const house = withReports({ ...made, clock });
  const feeds = new JobFeeds({ journal, reports: house.reports, clock });
  const routes = eventRoutes({ feeds, slots: new StreamSlots(slots, 100) });
  const server = await serveJobs(house, routes);
  const job = await storeJob(
    house,
    mixed(4, () => 0),
  );
  return { house, clock, job, looks: () => looks, ...server };
}

/** What a stream has said so far, event by event. */
async function watch(url: string, job: StoredJob, headers: Record<string, string> = {}) {
  const leaving = new AbortController();
  const { signal } = leaving;
  const answer = await fetch(`${url}/v1/jobs/${job.id}/events`, { headers, signal });
  let text = '';
  const ended = (async () => {
    for await (const block of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += block;
    }
  })();
  ended.catch(() => undefined);
  return {
    answer,
    ended,
    leave: () => leaving.abort(),
    text: () => text,
    events: () => text.split('\n\n').filter((one) => one.includes('event: ')),
    says: (expected: string) => eventually(() => expect(text).toContain(expected)),
  };
}

function named(events: readonly string[]): string[] {
  return events.map((one) => /event: (\w+)/.exec(one)?.[1] ?? '');
}

function dataOf(event: string): unknown {
  return JSON.parse(/data: (.*)/.exec(event)?.[1] ?? 'null');
}

test('a job is told from its first event to its end, with what changed in between', async () => {
  const { url, job } = await served();
  const stream = await watch(url, job);
  expect(stream.answer.headers.get('content-type')).toBe('text/event-stream');
  expect(stream.answer.headers.get('cache-control')).toContain('no-transform');
  await stream.says('"waiting":1');
  await job.settle(0);
  await stream.says('"settled":1');
  await job.merge(COUNTS);
  await stream.ended;
  expect(stream.text().startsWith('retry: 2000\n\n')).toBe(true);
  const events = stream.events();
  const jobEvents = events.filter((one) => one.includes('event: job'));
  expect(jobEvents.map((one) => /^id: (\d+)$/m.exec(one)?.[1])).toEqual(['1', '2', '3']);
  const told = jobEvents.map((one) => jobEvent.parse(dataOf(one)));
  expect(told.map(({ type, status }) => [type, status])).toEqual([
    ['created', 'planning'],
    ['planned', 'running'],
    ['merged', 'completed_with_errors'],
  ]);
  expect(named(events).slice(-3)).toEqual(['job', 'progress', 'end']);
  const progress = events.filter((one) => one.includes('event: progress'));
  expect(new Set(progress).size).toBe(progress.length);
  expect(progress.every((one) => !one.includes('id:'))).toBe(true);
  const last = progressEvent.parse(dataOf(progress.at(-1) ?? ''));
  expect(last.counts).toMatchObject({ total: 4, succeeded: 3, failed: 1, pending: 0 });
  expect(endEvent.parse(dataOf(events.at(-1) ?? ''))).toEqual({ status: 'completed_with_errors' });
});

test('who comes back is told what came after the last event they have', async () => {
  const { url, job } = await served();
  await job.merge(COUNTS);
  const ids = async (last: string) => {
    const stream = await watch(url, job, { 'last-event-id': last });
    await stream.ended;
    expect(named(stream.events()).slice(-2)).toEqual(['progress', 'end']);
    return stream.events().flatMap((one) => /^id: (\d+)$/m.exec(one)?.[1] ?? []);
  };
  expect(await ids('2')).toEqual(['3']);
  expect(await ids('3')).toEqual([]);
  expect(await ids('none of ours')).toEqual(['1', '2', '3']);
});

test('a refused job ends with what it is', async () => {
  const { url, job } = await served();
  const stream = await watch(url, job);
  await job.refuse();
  await stream.ended;
  expect(endEvent.parse(dataOf(stream.events().at(-1) ?? ''))).toEqual({ status: 'failed' });
});

test('many watch over one look, which ends when the last of them has gone', async () => {
  const { url, job, looks } = await served();
  const streams = await Promise.all(Array.from({ length: 10 }, () => watch(url, job)));
  for (const stream of streams) await stream.says('"waiting":1');
  await eventually(() => expect(looks()).toBeGreaterThan(20));
  const [first, ...others] = streams;
  for (const stream of others) stream.leave();
  const before = looks();
  await eventually(() => expect(looks()).toBeGreaterThan(before));
  first?.leave();
  await eventually(async () => {
    const now = looks();
    for (let calls = 0; calls < 20; calls += 1) await fetch(`${url}/none`);
    expect(looks()).toBe(now);
  });
  const again = await watch(url, job);
  await again.says('event: progress');
  again.leave();
});

test('a stream in which nothing happens says that it is alive', async () => {
  const { url, job, clock } = await served();
  const stream = await watch(url, job);
  await stream.says('event: progress');
  const events = stream.events();
  await eventually(() => {
    clock.wake();
    expect(stream.text().endsWith('\n\n:\n\n')).toBe(true);
  });
  expect(stream.events()).toEqual(events);
  stream.leave();
});

test('a tenant has so many streams at once', async () => {
  const { url, job } = await served({ slots: 2 });
  const streams = [await watch(url, job), await watch(url, job)];
  const third = await fetch(`${url}/v1/jobs/${job.id}/events`);
  expect([third.status, third.headers.get('retry-after')]).toEqual([429, '30']);
  expect(await third.json()).toMatchObject({ code: 'too_many_streams' });
  for (const stream of streams) stream.leave();
  await eventually(async () => {
    const fourth = await watch(url, job);
    fourth.leave();
    expect(fourth.answer.status).toBe(200);
  });
});

test('streams end with the service, without the event that says the job is over', async () => {
  const { url, job, drain, broken } = await served();
  const stream = await watch(url, job);
  await stream.says('event: progress');
  drain();
  await stream.ended;
  expect(named(stream.events())).not.toContain('end');
  expect(broken).toEqual([]);
});

test('a stream is cut where its job is deleted, and none is opened then', async () => {
  const { house, url, job } = await served();
  const stream = await watch(url, job);
  await stream.says('event: progress');
  await house.blobs.deleteFolder(jobFolder(job.id));
  await expect(stream.ended).rejects.toThrow();
  const gone = await fetch(`${url}/v1/jobs/${job.id}/events`);
  expect([gone.status, await gone.json()]).toMatchObject([404, { code: 'unknown_job' }]);
});
