/** A service with two tenants and an administrator, of whom one tenant has everything. */

import OpenAI, { toFile } from 'openai';
import { expect } from 'vitest';

import type { TenantId } from '../../../src/domain/ids.ts';
import type { Role } from '../../../src/service/access-keys.ts';
import { AccessKeys } from '../../../src/service/access-keys.ts';
import { eventually } from '../../support/program.ts';
import { call, openServiceScene, type ServiceScene } from '../../support/service.ts';
import { asInput, requestLine } from '../../support/sets.ts';

export const JSONL = { 'content-type': 'application/jsonl' };

export interface TenantScene extends ServiceScene {
  readonly keys: AccessKeys;
  readonly acme: string;
  readonly umbrella: string;
  readonly admin: string;
  readonly revoked: string;
}

/** Everybody has a key; nobody has done anything yet. */
export async function openTenantScene(env: Record<string, string> = {}): Promise<TenantScene> {
  const scene = await openServiceScene({
    simulator: { flakiness: { permanentRate: 0.3 } },
    env: {
      BATCHWRIGHT_CALLS_PER_MINUTE: '0',
      BATCHWRIGHT_WRONG_KEYS_PER_MINUTE: '1000000',
      ...env,
    },
  });
  const { blobs, ids, clock } = scene.store;
  const keys = new AccessKeys(blobs, ids, clock);
  const create = async (tenant: string, role: Role = 'tenant') => {
    return keys.create({ tenant: tenant as TenantId, role, name: '' });
  };
  const { text: revoked, key } = await create('acme');
  await keys.revoke(key.prefix);
  const [acme, umbrella, admin] = [
    (await create('acme')).text,
    (await create('umbrella')).text,
    (await create('ops', 'admin')).text,
  ];
  // The service knows of new keys within a moment.
  await eventually(async () => {
    const headers = bearer(umbrella);
    expect((await call('GET', `${scene.url}/v1/jobs`, { headers })).status).toBe(200);
  });
  return { ...scene, keys, acme, umbrella, admin, revoked };
}

export function bearer(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` };
}

/** What a tenant has, by what a route calls it: ids of every kind and state. */
export type Things = Readonly<Record<string, readonly string[]>>;

/** Makes a job that is over with failures, one that is paused, and a batch with all its files. */
export async function makeThings({ url }: ServiceScene, key: string): Promise<Things> {
  const headers = bearer(key);
  const lines = Array.from({ length: 12 }, (_, index) => requestLine(`secret-${index}`));
  const submit = async (): Promise<string> => {
    const query = 'name=secret-name&max_attempts=1';
    const answer = await call('POST', `${url}/v1/jobs?${query}`, {
      body: asInput(lines),
      headers: { ...headers, ...JSONL, 'idempotency-key': crypto.randomUUID() },
    });
    expect(answer.status).toBe(202);
    return String(answer.json['id']);
  };
  const over = await submit();
  const paused = await submit();
  await call('POST', `${url}/v1/jobs/${paused}/pause`, { headers });
  const client = new OpenAI({ apiKey: key, baseURL: `${url}/v1` });
  const file = await toFile(Buffer.from(asInput(lines)), 'secret-file.jsonl');
  const input = await client.files.create({ file, purpose: 'batch' });
  const { id: batch } = await client.batches.create({
    input_file_id: input.id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
  });
  const made = await eventually(async () => {
    const found = await client.batches.retrieve(batch);
    expect(found.status).toBe('completed');
    return found;
  });
  await eventually(async () => {
    const { json } = await call('GET', `${url}/v1/jobs/${over}`, { headers });
    expect(json['finished_at']).not.toBeNull();
  });
  const [output, errors] = [made.output_file_id ?? '', made.error_file_id ?? ''];
  expect([output, errors]).not.toContain('');
  return { job: [over, paused], batch: [batch], file: [input.id, output, errors] };
}
