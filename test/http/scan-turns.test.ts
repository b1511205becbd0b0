import { describe, expect, it } from 'vitest';

import { createLog } from '../../src/adapters/log/log.ts';
import { openService } from '../../src/composition/serve.ts';
import { eventually } from '../support/program.ts';
import { call } from '../support/service.ts';
import { CHAT, chatLines, openDoor } from './openai/door.ts';

/** A service over a real store whose threads do nothing before they are let go. */
async function gatedService() {
  const door = await openDoor({ workers: false });
  const { config, store, house } = door;
  const gate = Promise.withResolvers<void>();
  const begun: string[] = [];
  const run: typeof store.engines.run = (task, input) => {
    begun.push(task);
    return gate.promise.then(() => store.engines.run(task, input));
  };
  const lines: string[] = [];
  const log = createLog({ level: 'debug', write: (line) => void lines.push(line), secrets: [] });
  const gated = { ...store, engines: { ...store.engines, run } };
  const service = await openService(config, gated, house, log);
  const { id: file } = await door.upload(chatLines(1));
  const wish = { input_file_id: file, endpoint: CHAT };
  const post = (path: string, body: object) => call('POST', `${service.url}${path}`, { body });
  const made = await post('/v1/jobs', wish);
  return {
    job: `/v1/jobs/${String(made.json['id'])}`,
    url: service.url,
    close: () => service.close(100),
    goOn: gate.resolve,
    begun,
    gone: () => lines.filter((line) => line.includes('"status":499')).length,
    post,
    dryRun: (signal: AbortSignal | null = null) =>
      fetch(`${service.url}/v1/jobs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...wish, dry_run: true }),
        signal,
      }),
  };
}

describe('work that reads a whole set for one call', () => {
  it('takes one thread of a tenant, lets three wait, and refuses what comes beyond', async () => {
    const { dryRun, post, url, job, begun, goOn, close } = await gatedService();
    const answers = Array.from({ length: 5 }, () => dryRun());
    // Nobody else is answered yet.
    const refused = await Promise.race(answers);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
    expect(await refused.json()).toMatchObject({ code: 'too_many_scans' });
    expect((await post(`${job}/retry`, { all: true })).status).toBe(429);
    expect((await call('GET', `${url}${job}/errors`)).status).toBe(429);
    expect(begun).toEqual(['planRequestSet']);
    goOn();
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(4);
    expect((await call('GET', `${url}${job}/errors`)).json['code']).toBe('not_finished');
    await close();
  });

  it('is not begun for a client that has left while it waited', async () => {
    const { dryRun, begun, goOn, gone, close } = await gatedService();
    const first = dryRun();
    await eventually(() => expect(begun).toHaveLength(1));
    const leaving = new AbortController();
    const others = Array.from({ length: 4 }, () => dryRun(leaving.signal));
    expect((await Promise.race(others)).status).toBe(429);
    leaving.abort();
    await Promise.allSettled(others);
    await eventually(() => expect(gone()).toBe(3));
    goOn();
    expect((await first).status).toBe(200);
    expect((await dryRun()).status).toBe(200);
    expect(begun).toHaveLength(2);
    await close();
  });
});
