import { describe, expect, it } from 'vitest';

import { createLog } from '../../src/adapters/log/log.ts';
import { openService } from '../../src/composition/serve.ts';
import { eventually } from '../support/program.ts';
import type { ServiceScene } from '../support/service.ts';
import { call } from '../support/service.ts';
import { CHAT, chatLines, openDoor } from './openai/door.ts';

/** Another service over the same store, whose Redis answers when the test says so. */
async function hangingService({ config, store, house }: ServiceScene) {
  const asked = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const lines: string[] = [];
  const proveQueue = async (): Promise<void> => {
    asked.resolve();
    await gate.promise;
  };
  const log = createLog({ level: 'debug', write: (line) => void lines.push(line), secrets: [] });
  const service = await openService(config, store, { ...house, proveQueue }, log);
  return { ...service, asked: asked.promise, goOn: gate.resolve, lines };
}

/** The body of a create at each door. */
const DOORS = [
  ['/v1/batches', { endpoint: CHAT, completion_window: '24h' }],
  ['/v1/jobs', { endpoint: CHAT }],
] as const;

describe('a create whose client gives it up while the service hangs', () => {
  it.each(DOORS)('is not made at %s, since the client asks again elsewhere', async (path, wish) => {
    const door = await openDoor({ workers: false });
    const { id } = await door.upload(chatLines(1));
    const other = await hangingService(door);
    const create = (url: string, more: object, headers: Record<string, string> = {}) =>
      call('POST', url + path, { body: { ...wish, input_file_id: id, ...more }, headers });
    const leaving = new AbortController();
    const given = fetch(other.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...wish, input_file_id: id }),
      signal: leaving.signal,
    });
    await other.asked;
    leaving.abort();
    await expect(given).rejects.toThrow();
    await eventually(() => expect(other.lines.join('')).toContain('"status":499'));
    const repeated = await create(door.url, {}, { 'x-stainless-retry-count': '1' });
    other.goOn();
    // What is made later by the same service was not overtaken.
    const later = await create(other.url, { metadata: { a: 'b' } });
    const { json } = await call('GET', door.url + path);
    const ids = (json['data'] as { id: string }[]).map((made) => made.id);
    expect(ids).toEqual([later.json['id'], repeated.json['id']]);
    await other.close(100);
  });
});
