import { expect, it } from 'vitest';
import { eventually } from '../support/program.ts';
import { call } from '../support/service.ts';
import { asInput, requestLine } from '../support/sets.ts';
import type { TenantScene } from './support/tenants.ts';
import { bearer, JSONL, openTenantScene } from './support/tenants.ts';

/** What must be seen nowhere but where it belongs, whole or cut. */
const MARK = 'c4n4ry';
const PROMPT = `${MARK} the patient says that`;
const PROVIDER_KEY = `sk-${MARK}-1234567890`;
const WEBHOOK_SECRET = `whsec_${Buffer.from(`${MARK}-${'x'.repeat(24)}`).toString('base64')}`;

const JSON_TYPE = { 'content-type': 'application/json' };

/** Everything that went to Redis, as it went there. */
async function listenToRedis({ house }: TenantScene) {
  let heard = '';
  const monitor = await house.redis.connect('probe').monitor();
  monitor.on('monitor', (_time: string, words: string[]) => (heard += `${words.join(' ')}\n`));
  return { heard: () => heard, stop: () => monitor.disconnect() };
}

function line(id: string, content: string): string {
  const body = { model: 'gpt-4o-mini', messages: [{ role: 'user', content }] };
  return requestLine(id, 'gpt-4o-mini', { body });
}

/** Calls that fail, each with a prompt where something goes wrong. */
function badCalls(): [string, string, Record<string, string>, string][] {
  const form = (content: string) => `--b\r\n${content}`;
  const multipart = { 'content-type': 'multipart/form-data; boundary=b' };
  const file = 'Content-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n';
  return [
    ['POST', '/v1/jobs', JSON_TYPE, `{"input_file_id": ${PROMPT}`],
    ['POST', '/v1/jobs', JSON_TYPE, `{"input_file_id": ["${PROMPT}"]}`],
    ['POST', '/v1/jobs', JSON_TYPE, `{"input_file_id":"f","metadata":{"a":["${PROMPT}"]}}`],
    ['POST', '/v1/jobs', { 'content-type': 'text/plain' }, PROMPT],
    ['POST', '/v1/jobs', { ...JSONL, 'content-encoding': 'gzip' }, PROMPT],
    ['POST', '/v1/jobs?limit=x', JSONL, line('a', PROMPT)],
    ['POST', `/v1/jobs?max_attempts=${MARK}`, JSONL, line('a', PROMPT)],
    ['POST', '/v1/jobs', JSONL, `${PROMPT.repeat(100)}\n`],
    ['POST', '/v1/batches', JSON_TYPE, `{"endpoint": "${PROMPT}`],
    ['POST', '/v1/batches', JSON_TYPE, `{"endpoint": "${PROMPT}"}`],
    ['POST', '/v1/batches', JSON_TYPE, `{"input_file_id":"x","metadata":{"a":{"b":"${PROMPT}"}}}`],
    ['POST', '/v1/files', multipart, form(`${file}${PROMPT}`)],
    ['POST', '/v1/files', multipart, form(`Content-Disposition: form-data\r\n\r\n${PROMPT}`)],
    ['POST', '/v1/webhooks/openai', JSON_TYPE, `{"data": "${PROMPT}"}`],
    ['GET', '/v1/jobs', { authorization: `Bearer ${PROVIDER_KEY}` }, ''],
    ['GET', '/v1/jobs', { authorization: `Basic ${btoa(`x:${MARK}`)}` }, ''],
    ['GET', '/v1/jobs', { cookie: `session=${MARK}` }, ''],
  ];
}

it('shows keys and prompts to nobody: not in logs, Redis, numbers or errors', async () => {
  const scene = await openTenantScene({
    OPENAI_API_KEY: PROVIDER_KEY,
    OPENAI_WEBHOOK_SECRET: WEBHOOK_SECRET,
    BATCHWRIGHT_WEBHOOK_SECRET: WEBHOOK_SECRET,
    BATCHWRIGHT_MAX_LINE_BYTES: '1000',
  });
  const redis = await listenToRedis(scene);
  const { url, acme } = scene;
  const submit = async (lines: readonly string[], query = '') => {
    const headers = { ...bearer(acme), ...JSONL };
    const { json } = await call('POST', `${url}/v1/jobs${query}`, {
      body: asInput(lines),
      headers,
    });
    return eventually(async () => {
      const answer = await call('GET', `${url}/v1/jobs/${String(json['id'])}`, {
        headers: bearer(acme),
      });
      expect(answer.json['finished_at']).not.toBeNull();
      return answer;
    });
  };
  const lines = Array.from({ length: 20 }, (_, index) => line(`r-${index}`, PROMPT));
  const done = await submit(lines);
  const bad = [`{"custom_id": "b", ${PROMPT}`, PROMPT, `{"custom_id":1,"body":{"a":"${PROMPT}"}}`];
  const refused = await submit([...lines, ...bad]);
  await submit([...lines, ...bad], '?on_invalid=skip');
  expect(refused.json['status']).toBe('failed');

  const errors = [refused.text, done.text];
  for (const [method, path, headers, body] of badCalls()) {
    const answer = await call(method, url + path, {
      headers: { ...bearer(acme), ...headers },
      ...(body === '' ? {} : { body }),
    });
    const least = headers['cookie'] === undefined ? 400 : 200;
    expect(answer.status, `${method} ${path} ${body}`).toBeGreaterThanOrEqual(least);
    errors.push(least === 400 ? answer.text : '');
  }
  const lists = await call('GET', `${url}/v1/jobs/${String(refused.json['id'])}/errors`, {
    headers: bearer(acme),
  });
  const metrics = await call('GET', `${url}/metrics`, { headers: bearer(scene.admin) });
  redis.stop();

  const seen = {
    log: scene.lines.join('\n'),
    notices: JSON.stringify(scene.notices),
    redis: redis.heard(),
    metrics: metrics.text,
    errors: [...errors, lists.text].join('\n'),
  };
  // Each is what it is taken for.
  expect(seen.log).toContain('/v1/jobs/{job}');
  expect(seen.redis).toContain(String(done.json['id']));
  expect(seen.metrics).toContain('batchwright_');
  expect(seen.errors).toContain('invalid_json');
  const secrets = [
    MARK,
    ...[acme, scene.admin].map((key) => key.slice(16)),
    WEBHOOK_SECRET.slice(6),
  ];
  for (const [place, text] of Object.entries(seen)) {
    for (const secret of secrets) {
      const at = text.indexOf(secret);
      const around = at < 0 ? '' : text.slice(Math.max(0, at - 200), at + 100);
      expect(around, `${secret} in ${place}`).toBe('');
    }
  }
});
