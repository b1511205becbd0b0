import { expect, test } from 'vitest';

import { createMetrics } from '../../../src/adapters/metrics/metrics.ts';
import type { Measure, Sample } from '../../../src/ports/metrics.ts';

function measure(changes: Partial<Measure>): Measure {
  const usual = { help: 'For a test.', kind: 'gauge', labels: [], read: () => [] } as const;
  return { name: 'batchwright_thing', ...usual, ...changes };
}

/** The lines about one metric, without its head. */
async function linesOf(measures: readonly Measure[], name: string): Promise<string[]> {
  const text = await createMetrics({ version: '1.2.3', measures }).text();
  return text.split('\n').filter((line) => line.startsWith(name));
}

test('the text has the version, the process and every measure with its help', async () => {
  const metrics = createMetrics({ version: '1.2.3', measures: [measure({})] });
  const text = await metrics.text();
  expect(metrics.contentType).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(text).toContain('batchwright_build_info{version="1.2.3"} 1');
  expect(text).toContain('process_resident_memory_bytes');
  expect(text).toContain('# HELP batchwright_thing For a test.');
  expect(text).toContain('# TYPE batchwright_thing gauge');
});

test('gauges and counters are what they are now, and what is gone is not shown', async () => {
  let samples: Sample[] = [
    { labels: { kind: 'a' }, value: 1 },
    { labels: { kind: 'b' }, value: 2 },
  ];
  const gauge = measure({ labels: ['kind'], read: () => Promise.resolve(samples) });
  const counter = measure({ ...gauge, name: 'batchwright_things_total', kind: 'counter' });
  const metrics = createMetrics({ version: '1', measures: [gauge, counter] });
  const shown = async () =>
    (await metrics.text())
      .split('\n')
      .filter((line) => /^batchwright_things?(_total)?[{]/.test(line));
  expect(await shown()).toEqual([
    'batchwright_thing{kind="a"} 1',
    'batchwright_thing{kind="b"} 2',
    'batchwright_things_total{kind="a"} 1',
    'batchwright_things_total{kind="b"} 2',
  ]);
  samples = [{ labels: { kind: 'b' }, value: 5 }];
  expect(await shown()).toEqual([
    'batchwright_thing{kind="b"} 5',
    'batchwright_things_total{kind="b"} 5',
  ]);
});

test('a measure that fails or hangs is counted, and the others are shown', async () => {
  const fails = measure({ name: 'batchwright_fails', read: () => Promise.reject(new Error('no')) });
  const hangs = measure({ name: 'batchwright_hangs', read: () => new Promise(() => undefined) });
  const works = measure({ read: () => [{ labels: {}, value: 7 }] });
  const measures = [fails, hangs, works];
  const metrics = createMetrics({ version: '1', measures, readTimeoutMs: 50 });
  expect(await metrics.text()).toContain('batchwright_thing 7');
  const next = await metrics.text();
  expect(next).toMatch(/unread_measures_total\{measure="batchwright_fails"\} [12]/);
  expect(next).toMatch(/unread_measures_total\{measure="batchwright_hangs"\} [12]/);
  expect(next).not.toMatch(/^batchwright_fails/m);
});

test('a measure of which nothing is known shows nothing', async () => {
  const lines = await linesOf([measure({ read: () => null })], 'batchwright_thing');
  expect(lines).toEqual([]);
});

test('requests are counted by pattern and status, timed, and no method is invented', async () => {
  const metrics = createMetrics({ version: '1', measures: [] });
  const usual = { route: '/v1/jobs/{job}', status: 200, receivedBytes: 100, sentBytes: 10 };
  metrics.requestEnded({ ...usual, method: 'GET', seconds: 0.03 });
  metrics.requestEnded({ ...usual, method: 'GET', seconds: 0.3, status: 404 });
  metrics.requestEnded({ ...usual, method: 'BREW', seconds: 0.3, status: 405 });
  const text = await metrics.text();
  const of = (labels: string) => `batchwright_http_requests_total{${labels}} 1`;
  expect(text).toContain(of('method="GET",route="/v1/jobs/{job}",status="200"'));
  expect(text).toContain(of('method="GET",route="/v1/jobs/{job}",status="404"'));
  expect(text).toContain(of('method="other",route="/v1/jobs/{job}",status="405"'));
  expect(text).toContain('batchwright_http_bytes_total{direction="received"} 300');
  expect(text).toContain('batchwright_http_bytes_total{direction="sent"} 30');
  const bucket = 'le="0.05",method="GET",route="/v1/jobs/{job}"';
  expect(text).toContain(`_duration_seconds_bucket{${bucket}} 1\n`);
});
