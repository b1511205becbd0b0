import { expect, test } from 'vitest';
import { isLoopback, parseProfile, profileFor, PROVIDER_PROFILES } from '../../config/providers.ts';

test.each([
  ['https://api.openai.com/v1', 'openai'],
  ['https://eu.api.openai.com/v1', 'openai'],
  ['https://API.OpenAI.com/v1/', 'openai'],
  ['https://house.openai.azure.com/openai/v1', 'azure'],
  ['https://api.groq.com/openai/v1', 'groq'],
  ['https://api.together.xyz/v1', 'together'],
  ['https://dashscope-intl.aliyuncs.com/compatible-mode/v1', 'dashscope'],
  ['https://api.siliconflow.cn/v1', 'siliconflow'],
  ['http://127.0.0.1:8080/v1', 'generic'],
  ['https://api.openai.com.example.org/v1', 'generic'],
  ['https://notapi.openai.com.evil/v1', 'generic'],
  ['https://myapi.openai.community/v1', 'generic'],
  ['https://evilapi.openai.com/v1', 'generic'],
])('%s has the profile %s', (baseUrl, name) => {
  expect(profileFor(baseUrl).name).toBe(name);
});

test('a name overrides the host, and an unknown one is refused with the known ones', () => {
  expect(profileFor('http://127.0.0.1:8080/v1', 'groq').name).toBe('groq');
  expect(() => profileFor('http://127.0.0.1:8080/v1', 'acme')).toThrow(/'acme'.*openai.*generic/);
  expect(() => profileFor('http://127.0.0.1:8080/v1', 'constructor')).toThrow(RangeError);
  expect(() => profileFor('not a url')).toThrow(TypeError);
});

test('the default is what OpenAI allows, with room for another megabyte', () => {
  expect(profileFor('https://api.openai.com/v1')).toMatchObject({
    limits: { maxRequests: 50_000, maxBytes: 190_000_000, maxInputs: 50_000 },
    defaults: { maxRequests: 50_000, maxBytes: 100_000_000 },
    completionWindows: ['24h'],
    filePurpose: 'batch',
    uploadExpiry: 'always',
  });
});

test('no profile promises for an unknown server what only OpenAI documents', () => {
  expect(profileFor('https://batch.example.org/v1')).toMatchObject({
    uploadExpiry: 'until-refused',
  });
});

test('each host leads to the profile that lists it', () => {
  for (const [name, { hosts }] of PROVIDER_PROFILES) {
    for (const host of hosts) {
      const full = host.startsWith('.') ? `any${host}` : host;
      expect(profileFor(`https://${full}/v1`).name).toBe(name);
    }
  }
});

const { name: _name, ...facts } = profileFor('https://api.openai.com/v1');

test.each([
  ['a file above 190 MB', { limits: { ...facts.limits, maxBytes: 200_000_000 } }],
  [
    'a default above the requests allowed',
    { defaults: { ...facts.defaults, maxRequests: 50_001 } },
  ],
  ['a default above the bytes allowed', { defaults: { ...facts.defaults, maxBytes: 190_000_001 } }],
  ['a line larger than a file', { limits: { ...facts.limits, maxLineBytes: 190_000_001 } }],
  ['a file that expires before its batch', { uploadExpiresAfterSeconds: 86_400 }],
  ['an expiry beyond thirty days', { uploadExpiresAfterSeconds: 2_592_001 }],
  ['no window at all', { completionWindows: [] }],
  ['a window without a unit', { completionWindows: ['24'] }],
  ['a date that is none', { asOf: '2026-13' }],
])('a profile with %s is refused', (_what, changes) => {
  expect(() => parseProfile({ ...facts, ...changes })).toThrow();
});

test('the facts that the refused profiles change are fine themselves', () => {
  expect(parseProfile(facts)).toEqual(facts);
});

test.each([
  ['http://localhost:3000/v1', true],
  ['http://sim.localhost/v1', true],
  ['http://127.0.0.1/v1', true],
  ['http://127.9.8.7:80', true],
  ['http://2130706433/v1', true],
  ['http://[::1]:8080/v1', true],
  ['http://[::ffff:127.0.0.1]/v1', true],
  ['http://127.0.0.1.example.org/v1', false],
  ['http://localhost.example.org/v1', false],
  ['http://10.0.0.1/v1', false],
  ['http://[::2]/v1', false],
  ['https://api.openai.com/v1', false],
])('whether %s is this machine: %j', (baseUrl, expected) => {
  expect(isLoopback(baseUrl)).toBe(expected);
});
