import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import {
  answer,
  KEY_CANARY,
  providerAt,
  scratchFolder,
  stageAnswering,
  stageWith,
  weatherAfter,
} from './stage.ts';
import type { Stage } from './stage.ts';

const CONTENT = randomBytes(1_000_003);

/** A server whose file states a size, and that replies to the content as told. */
function stageOfFile(
  bytes: number | null,
  content: (response: ServerResponse) => void,
): Promise<Stage> {
  return stageAnswering((response, seen) => {
    if (seen.url.endsWith('/content')) content(response);
    else if (bytes === null) answer(response, 404, { error: { message: 'Unknown.' } });
    else answer(response, 200, { id: 'file-2', bytes });
  });
}

const whole = (response: ServerResponse): void => void response.end(CONTENT);

test('the content is on the disk byte for byte, and asked for as it is', async () => {
  const stage = await stageOfFile(CONTENT.length, whole);
  const localPath = path.join(scratchFolder(), 'output.jsonl');
  const answered = await providerAt(stage.baseUrl).download('file-2', localPath);
  expect(answered).toEqual({ sizeBytes: CONTENT.length });
  expect(readFileSync(localPath).equals(CONTENT)).toBe(true);
  const [, seen] = stage.seen;
  expect(seen).toMatchObject({ method: 'GET', url: '/v1/files/file-2/content' });
  expect(seen?.headers).toMatchObject({
    'accept-encoding': 'identity',
    authorization: `Bearer ${KEY_CANARY}`,
  });
});

test.each([0, null])('a stated size of %j is no size to compare with', async (bytes) => {
  const stage = await stageOfFile(bytes, whole);
  const localPath = path.join(scratchFolder(), 'output.jsonl');
  const { sizeBytes } = await providerAt(stage.baseUrl).download('file-2', localPath);
  expect(sizeBytes).toBe(CONTENT.length);
});

test('an empty file is a file', async () => {
  const stage = await stageOfFile(0, (response) => response.end());
  const localPath = path.join(scratchFolder(), 'errors.jsonl');
  expect(await providerAt(stage.baseUrl).download('file-2', localPath)).toEqual({ sizeBytes: 0 });
  expect(readFileSync(localPath)).toHaveLength(0);
});

test.each<[string, (response: ServerResponse) => void]>([
  ['a length and a cut', (response) => cut(response, { 'content-length': '1000003' })],
  ['chunks and a cut', (response) => cut(response, {})],
  ['a silent end before the stated size', (response) => void response.end(CONTENT.subarray(9))],
  ['more than the stated size', (response) => void response.end('x'.repeat(2_000_000))],
  ['a stall', (response) => void response.write(CONTENT.subarray(9))],
  ['a 503', (response) => answer(response, 503, '<html>')],
  ['a 429', (response) => answer(response, 429, { error: { message: 'Slow.' } })],
  [
    'a compression that nobody asked for',
    (response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end(gzipSync(CONTENT));
    },
  ],
])('a download with %s may be repeated and leaves no file', async (_what, content) => {
  const stage = await stageOfFile(CONTENT.length, content);
  const folder = scratchFolder();
  const timeouts = { callMs: 5_000, stallMs: 300, answerMs: 300 };
  const download = providerAt(stage.baseUrl, { timeouts }).download(
    'file-2',
    path.join(folder, 'output.jsonl'),
  );
  expect(await weatherAfter(download)).toMatchObject({ kind: 'transient' });
  expect(readdirSync(folder)).toEqual([]);
});

test('a file whose content is gone is permanent weather', async () => {
  const stage = await stageOfFile(CONTENT.length, (response) =>
    answer(response, 404, { error: { message: 'Gone.', code: 'not_found' } }),
  );
  const localPath = path.join(scratchFolder(), 'output.jsonl');
  const weather = await weatherAfter(providerAt(stage.baseUrl).download('file-2', localPath));
  expect(weather).toMatchObject({ kind: 'permanent', status: 404, code: 'not_found' });
  expect(existsSync(localPath)).toBe(false);
});

test('a redirect to a store is followed, and the key stays at home', async () => {
  const store = await stageAnswering((response) => whole(response));
  const stage = await stageOfFile(CONTENT.length, (response) => {
    response.writeHead(302, { location: `${store.baseUrl}/signed?x=1` }).end();
  });
  const localPath = path.join(scratchFolder(), 'output.jsonl');
  await providerAt(stage.baseUrl).download('file-2', localPath);
  expect(readFileSync(localPath).equals(CONTENT)).toBe(true);
  expect(store.seen[0]?.url).toBe('/v1/signed?x=1');
  expect(JSON.stringify(store.seen[0]?.headers)).not.toContain(KEY_CANARY);
  expect(store.seen[0]?.headers).not.toHaveProperty('openai-organization');
});

test('a ring of redirects ends', async () => {
  const stage = await stageOfFile(CONTENT.length, (response) => {
    response.writeHead(307, { location: '/v1/files/file-2/content' }).end();
  });
  const localPath = path.join(scratchFolder(), 'output.jsonl');
  const weather = await weatherAfter(providerAt(stage.baseUrl).download('file-2', localPath));
  expect(weather.kind).toBe('transient');
  expect(stage.seen.length).toBeLessThan(10);
});

test('a file that is there already is neither written nor removed', async () => {
  const stage = await stageOfFile(CONTENT.length, whole);
  const localPath = path.join(scratchFolder(), 'output.jsonl');
  writeFileSync(localPath, 'mine');
  const download = providerAt(stage.baseUrl).download('file-2', localPath);
  await expect(download).rejects.toMatchObject({ code: 'EEXIST' });
  expect(readFileSync(localPath, 'utf8')).toBe('mine');
});

test('a download that fails before the content leaves nothing', async () => {
  const stage = await stageWith(500, { error: { message: 'No.' } });
  const localPath = path.join(scratchFolder(), 'output.jsonl');
  const weather = await weatherAfter(providerAt(stage.baseUrl).download('file-2', localPath));
  expect(weather).toMatchObject({ kind: 'transient', status: 500 });
  expect(existsSync(localPath)).toBe(false);
});

function cut(response: ServerResponse, headers: Record<string, string>): void {
  response.writeHead(200, headers);
  response.write(CONTENT.subarray(0, 500_000), () => response.destroy());
}
