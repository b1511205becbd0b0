import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:http';
import { describe, expect, test } from 'vitest';
import { resultRoutes } from '../../../src/http/jobs/result.ts';
import { ScanTurns } from '../../../src/http/scan-turns.ts';
import { StreamSlots } from '../../../src/http/stream-slots.ts';
import { ResultViews } from '../../../src/service/result-views.ts';
import { openName, resultName } from '../../../src/stages/names.ts';
import { isOk, lineOf, mixed } from '../../service/support/answered-lines.ts';
import type { StoredLine, Workshop } from '../../service/support/stored-job.ts';
import { StoredJob, storeJob, workshop } from '../../service/support/stored-job.ts';
import { eventually } from '../../support/program.ts';
import { quickClock, serveJobs, withReports } from '../support/served-jobs.ts';

async function served(slots = 9) {
  const made = await workshop();
  const house = { ...made, clock: quickClock(made.clock) };
  const results = new ResultViews(house);
  const parts = {
    results,
    slots: new StreamSlots(slots, 100),
    downloads: new StreamSlots(9, 100),
    scans: new ScanTurns(),
  };
  return { house, ...(await serveJobs(withReports(house), resultRoutes(parts))) };
}

async function merged(house: Workshop, lines: readonly StoredLine[]) {
  const job = await storeJob(house, lines);
  const succeeded = lines.filter(isOk).length;
  await job.merge({ succeeded, failed: lines.length - succeeded, rejected: 0 });
  return job;
}

function pathOf(job: { id: string }, query = ''): string {
  return `/v1/jobs/${job.id}/result${query}`;
}

async function bytesOf(answer: Response): Promise<Buffer> {
  return Buffer.from(await answer.arrayBuffer());
}

describe('a result that is there', () => {
  const lines = mixed(400, () => 0);

  test('is sent whole, with its size, its ETag and a name to save it as', async () => {
    const { house, url } = await served();
    const job = await merged(house, lines);
    const answer = await fetch(url + pathOf(job));
    expect(answer.status).toBe(200);
    const sha256 = createHash('sha256').update(job.result).digest('hex');
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/jsonl',
      'content-length': String(job.result.length),
      'accept-ranges': 'bytes',
      'content-disposition': `attachment; filename="${job.id}.jsonl"`,
      etag: `"${sha256}"`,
    });
    expect((await bytesOf(answer)).equals(job.result)).toBe(true);
    const head = await fetch(url + pathOf(job), { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(job.result.length));
    expect((await bytesOf(head)).length).toBe(0);
    for (const query of ['?follow=1', '?partial=true']) {
      expect((await bytesOf(await fetch(url + pathOf(job, query)))).equals(job.result)).toBe(true);
    }
  });

  test('is sent in halves, and each of them in ranges', async () => {
    const { house, url } = await served();
    const job = await merged(house, lines);
    for (const include of ['all', 'ok', 'failed'] as const) {
      const wanted = lines.filter((line) => include === 'all' || isOk(line) === (include === 'ok'));
      const whole = Buffer.from(wanted.map(({ answer }) => answer).join(''));
      const path = pathOf(job, `?include=${include}`);
      const etag = (await fetch(url + path)).headers.get('etag') ?? '';
      const size = whole.length;
      for (const [range, start, end] of [
        ['bytes=0-9', 0, 10],
        [`bytes=${size - 5}-`, size - 5, size],
        ['bytes=-300', size - 300, size],
        ['bytes=100-99999999', 100, size],
      ] as const) {
        const answer = await fetch(url + path, { headers: { range, 'if-range': etag } });
        expect(answer.status).toBe(206);
        expect(answer.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/${size}`);
        expect((await bytesOf(answer)).equals(whole.subarray(start, end)), range).toBe(true);
      }
      const other = { range: 'bytes=0-9', 'if-range': '"another"' };
      expect((await fetch(url + path, { headers: other })).status).toBe(200);
      const beyond = await fetch(url + path, { headers: { range: `bytes=${size}-` } });
      expect(beyond.status).toBe(416);
      expect(beyond.headers.get('content-range')).toBe(`bytes */${size}`);
      expect(await beyond.json()).toMatchObject({ code: 'range_not_satisfiable' });
    }
  });

  test('is an error of ours where it is gone from the store', async () => {
    const { house, url, broken } = await served();
    const job = await merged(house, lines);
    await house.blobs.delete(resultName(job.id));
    const answer = await fetch(url + pathOf(job));
    expect([answer.status, await answer.json()]).toMatchObject([500, { code: 'store_damaged' }]);
    expect(broken).toHaveLength(1);
  });

  test('comes with its manifest', async () => {
    const { house, url } = await served();
    const job = await merged(house, lines);
    const answer = await fetch(`${url}/v1/jobs/${job.id}/manifest`);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(await answer.text()).toBe('{\n  "manifest": 1\n}\n');
  });

  test('is nobody else’s', async () => {
    const { house, url } = await served();
    const job = await merged(house, lines);
    const headers = { authorization: 'Bearer stranger' };
    for (const path of [pathOf(job), pathOf(job, '?follow=1'), `/v1/jobs/${job.id}/manifest`]) {
      const answer = await fetch(url + path, { headers });
      expect([answer.status, await answer.json()]).toMatchObject([404, { code: 'unknown_job' }]);
    }
  });
});

describe('a result that is not there', () => {
  test('is refused with the way out, and never promised where nothing was sent', async () => {
    const { house, url } = await served();
    const few = mixed(3, () => 0);
    const [running, refused] = [await storeJob(house, few), await storeJob(house, few)];
    await refused.refuse();
    for (const wish of ['follow=1', 'partial=1']) {
      const none = await fetch(url + pathOf(refused, `?${wish}`));
      expect([none.status, await none.json()]).toMatchObject([409, { code: 'no_result' }]);
    }
    for (const end of ['result', 'manifest', 'result?include=ok']) {
      const early = await fetch(`${url}/v1/jobs/${running.id}/${end}`);
      expect([early.status, await early.json()]).toMatchObject([
        409,
        { code: 'not_finished', detail: expect.stringContaining('follow=1') as string },
      ]);
      const never = await fetch(`${url}/v1/jobs/${refused.id}/${end}`);
      expect([never.status, await never.json()]).toMatchObject([409, { code: 'no_result' }]);
    }
    const both = await fetch(url + pathOf(running, '?partial=1&follow=1'));
    expect([both.status, await both.json()]).toMatchObject([400, { param: 'partial' }]);
    expect((await fetch(url + pathOf(running, '?include=ok&follow=1'))).status).toBe(400);
  });

  test('cuts who follows a job that is refused meanwhile', async () => {
    const { house, url, broken } = await served();
    const job = new StoredJob(house, []);
    await job.create();
    await house.blobs.put(openName(job.id), Buffer.from('{}'));
    const followed = await fetch(url + pathOf(job, '?follow=1'));
    expect(followed.status).toBe(200);
    await job.refuse();
    await expect(followed.text()).rejects.toThrow('terminated');
    expect(broken).toEqual([]);
  });

  test('is sent in part: the lines of what is settled', async () => {
    const { house, url } = await served();
    const job = await storeJob(
      house,
      mixed(30, (index) => index % 2),
    );
    await job.settle(1);
    const answer = await fetch(url + pathOf(job, '?partial=1'));
    expect(answer.headers.get('content-length')).toBeNull();
    expect(answer.headers.get('accept-ranges')).toBe('none');
    expect(await answer.text()).toBe(job.partOf(1).toString());
  });

  test('is streamed as it comes, until all is there', async () => {
    const { house, url } = await served();
    const job = await storeJob(
      house,
      mixed(60, (index) => Math.floor(index / 20)),
    );
    const answer = await fetch(url + pathOf(job, '?follow=1'));
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const readUntil = async (expected: string): Promise<void> => {
      for (let isDone = false; text.length < expected.length && !isDone;) {
        const block = await reader?.read();
        isDone = block?.done ?? true;
        text += block?.value ?? '';
      }
      expect(text).toBe(expected);
    };
    await job.settle(1);
    await job.settle(0);
    await readUntil(job.partOf(0).toString() + job.partOf(1).toString());
    await job.settle(2);
    await readUntil(job.result.toString());
    await job.merge({ succeeded: 1, failed: 1, rejected: 0 });
    await job.clean();
    expect(await reader?.read()).toEqual({ done: true, value: undefined });
  });

  test('is cut, not ended, where the service ends', async () => {
    const { house, url, drain, broken } = await served();
    const job = await storeJob(
      house,
      mixed(4, () => 0),
    );
    const answer = await fetch(url + pathOf(job, '?follow=1'));
    drain();
    await expect(answer.text()).rejects.toThrow();
    expect(broken).toEqual([]);
  });

  test('is followed by so many of a tenant at once, and by more when some have gone', async () => {
    const { house, url } = await served(2);
    const lines = mixed(4, () => 0);
    const job = await storeJob(house, lines);
    const leaving = new AbortController();
    const path = url + pathOf(job, '?follow=1');
    const follow = () => fetch(path, { signal: leaving.signal });
    // An answer that nobody holds may be collected, which ends it.
    const followers = [await follow(), await follow()];
    const third = await fetch(path);
    const told = [followers.length, third.status, await third.json()];
    expect(told).toMatchObject([2, 429, { code: 'too_many_streams' }]);
    leaving.abort();
    await eventually(async () => {
      const again = await fetch(path, { signal: AbortSignal.timeout(60_000) });
      expect(again.status).toBe(200);
      await again.body?.cancel();
    });
  });
});

describe('a client that takes its time', () => {
  /** A result of some 64 MB whose reads are counted. */
  async function bigResult() {
    let readBytes = 0;
    const { house, port, url, broken } = await served();
    const { blobs } = house;
    const get = blobs.get.bind(blobs);
    blobs.get = async (name, range) => {
      const bytes = await get(name, range);
      if (name.endsWith('result.jsonl')) readBytes += bytes?.length ?? 0;
      return bytes;
    };
    const job = await merged(
      house,
      Array.from({ length: 64 }, (_, index) => lineOf('ok', index, 500_000, 0)),
    );
    return { job, port, url, broken, readBytes: () => readBytes };
  }

  test('is not run ahead of, and nothing goes on when it has gone', async () => {
    const { job, port, url, broken, readBytes } = await bigResult();
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ host: '127.0.0.1', port, path: pathOf(job) }, resolve).on('error', reject);
    });
    answer.pause();
    const others = async (): Promise<void> => {
      for (let count = 0; count < 20; count += 1) {
        const head = await fetch(url + pathOf(job), { method: 'HEAD' });
        expect(head.status).toBe(200);
      }
    };
    // It stops by itself when the connection is full, however much others are served.
    await eventually(async () => {
      const before = readBytes();
      await others();
      expect(readBytes()).toBe(before);
      expect(before).toBeGreaterThan(0);
    });
    expect(readBytes()).toBeLessThan(job.result.length / 2);
    answer.on('error', () => undefined).destroy();
    const last = readBytes();
    await others();
    expect(readBytes()).toBe(last);
    expect(broken).toEqual([]);
  });

  test('gets the rest of a download that was cut by asking for the range', async () => {
    const { job, url } = await bigResult();
    const leaving = new AbortController();
    const cut = await fetch(url + pathOf(job), { signal: leaving.signal });
    const reader = cut.body?.getReader();
    const blocks: Uint8Array[] = [];
    let size = 0;
    while (size < 1_000_000) {
      const block = (await reader?.read())?.value ?? new Uint8Array();
      blocks.push(block);
      size += block.length;
    }
    leaving.abort();
    const etag = cut.headers.get('etag') ?? '';
    const headers = { range: `bytes=${size}-`, 'if-range': etag };
    const rest = await fetch(url + pathOf(job), { headers });
    expect(rest.status).toBe(206);
    expect(Buffer.concat([...blocks, await bytesOf(rest)]).equals(job.result)).toBe(true);
  });
});
