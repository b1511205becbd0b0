import { expect, it } from 'vitest';

import { parseTenantId } from '../../src/domain/ids.ts';
import { AccessKeys } from '../../src/service/access-keys.ts';
import { eventually } from '../support/program.ts';
import { call, openServiceScene } from '../support/service.ts';
import { asInput, requestLine } from '../support/sets.ts';
import { bearer, JSONL } from './support/tenants.ts';

it('open streams end with the key that opened them, and no others', async () => {
  const { url, store } = await openServiceScene({ workers: false });
  const keys = new AccessKeys(store.blobs, store.ids, store.clock);
  const tenant = parseTenantId('acme');
  if (tenant === null) throw new Error('that is a name');
  const [first, second] = [
    await keys.create({ tenant, role: 'tenant', name: 'first' }),
    await keys.create({ tenant, role: 'tenant', name: 'second' }),
  ];
  const made = await eventually(async () => {
    const body = asInput([requestLine('a')]);
    const headers = { ...JSONL, ...bearer(first.text) };
    const answer = await call('POST', `${url}/v1/jobs`, { body, headers });
    expect(answer.status).toBe(202);
    return answer;
  });
  const job = `${url}/v1/jobs/${String(made.json['id'])}`;
  const ended: string[] = [];
  const watch = async (key: string, path: string, name: string): Promise<void> => {
    const answer = await fetch(job + path, { headers: bearer(key) });
    expect(answer.status).toBe(200);
    const end = (): void => void ended.push(name);
    void answer.text().then(end, end);
  };
  await watch(second.text, '/events', 'kept events');
  await watch(second.text, '/result?follow=1', 'kept lines');
  await watch(first.text, '/events', 'events');
  await watch(first.text, '/result?follow=1', 'lines');
  await keys.revoke(first.key.prefix);
  await eventually(() => expect(ended.toSorted()).toEqual(['events', 'lines']));
});
