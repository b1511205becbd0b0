import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError, loadConfig, viewSettings } from '../../config/load.ts';
import { SECRETS, settings } from '../../config/schema.ts';
import { QUEUES } from '../../src/ports/work-queue.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'batchwright-config-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const SAMPLES: Readonly<Record<(typeof SECRETS)[number], string>> = {
  OPENAI_API_KEY: 'sk-secret',
  OPENAI_WEBHOOK_SECRET: 'whsec_c2VjcmV0',
  REDIS_URL: 'rediss://:secret@example.com:6380/1',
  BATCHWRIGHT_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 1).toString('base64')}`,
  BATCHWRIGHT_API_KEY: 'bw_secret',
};

/** What a configuration with this environment is refused for. */
function problemsOf(env: Record<string, string>, flags: Record<string, string> = {}): string[] {
  try {
    loadConfig(flags, { env, folder });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
}

describe('a configuration', () => {
  test('takes a flag before the environment, that before .env, that before the default', () => {
    writeFileSync(
      join(folder, '.env'),
      'BATCHWRIGHT_MAX_LIVE_BATCHES=5\nBATCHWRIGHT_POLL_INTERVAL_MS=50\nOPENAI_ORG_ID=org-file\n',
    );
    const env = { BATCHWRIGHT_POLL_INTERVAL_MS: '60', OPENAI_ORG_ID: 'org-env' };
    const config = loadConfig({ OPENAI_ORG_ID: 'org-flag' }, { env, folder });
    expect(config).toMatchObject({
      OPENAI_ORG_ID: 'org-flag',
      BATCHWRIGHT_POLL_INTERVAL_MS: 60,
      BATCHWRIGHT_MAX_LIVE_BATCHES: 5,
      BATCHWRIGHT_SWEEP_INTERVAL_MS: 30_000,
    });
  });

  test('takes an empty value and an absent flag for no value', () => {
    const env = { OPENAI_API_KEY: '', BATCHWRIGHT_MAX_LIVE_BATCHES: '' };
    const config = loadConfig({ OPENAI_PROJECT_ID: undefined }, { env, folder });
    expect(config.OPENAI_API_KEY).toBeUndefined();
    expect(config.BATCHWRIGHT_MAX_LIVE_BATCHES).toBe(4);
    expect(config.OPENAI_PROJECT_ID).toBeUndefined();
  });

  test('names a key that is needed and missing beside all else that is wrong', () => {
    const problemsOfNeeding = (env: Record<string, string>): string[] => {
      try {
        loadConfig({}, { env, folder }, { key: true });
        return [];
      } catch (error) {
        return (error as Error).message.split('\n');
      }
    };
    expect(problemsOfNeeding({ BATCHWRIGHT_PORT: 'abc' })).toEqual([
      expect.stringMatching(/^BATCHWRIGHT_PORT must be /),
      expect.stringMatching(/^OPENAI_API_KEY is not set: /),
    ]);
    expect(problemsOfNeeding({ OPENAI_API_KEY: 'sk-1' })).toEqual([]);
    expect(problemsOfNeeding({ OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' })).toEqual([]);
    // Of one that is given wrongly, one sentence is enough.
    expect(problemsOfNeeding({ OPENAI_API_KEY: 'two words' })).toHaveLength(1);
    expect(problemsOfNeeding({ OPENAI_API_KEY_FILE: 'absent' })).toHaveLength(1);
    expect(problemsOf({})).toEqual([]);
  });

  test('names everything that is wrong at once, a sentence each, with what it must be', () => {
    const env = {
      OPENAI_BASE_URL: 'ftp://example.com',
      OPENAI_API_KEY: 'sk-of two words',
      BATCHWRIGHT_MAX_LIVE_BATCHES: 'many',
      BATCHWRIGHT_POLL_INTERVAL: '50',
      BATCHWRIGHT_PROVIDER: 'nobody',
      BATCHWRIGHT_WORKERS: 'some',
      BATCHWRIGHT_CREATE_SETTLE_MS: '1',
      REDIS_URL: 'http://localhost',
    };
    writeFileSync(join(folder, '.env'), 'BATCHWRIGHT_PORT=70000\n');
    expect(problemsOf(env, { BATCHWRIGHT_QUEUES: 'plan,sweep' })).toEqual([
      'BATCHWRIGHT_POLL_INTERVAL (environment) is no setting; did you mean ' +
        'BATCHWRIGHT_POLL_INTERVAL_MS?',
      'OPENAI_API_KEY must be one word of visible ASCII characters; what is given is not ' +
        '(environment).',
      'OPENAI_BASE_URL must be an http or https URL without a name, a password or a query; it is ' +
        '"ftp://example.com" (environment).',
      'REDIS_URL must be a redis or rediss URL; what is given is not (environment).',
      'BATCHWRIGHT_PORT must be a whole number from 0 to 65535; it is "70000" (.env).',
      'BATCHWRIGHT_WORKERS must be one of inline, none; it is "some" (environment).',
      'BATCHWRIGHT_QUEUES must be some of plan,dispatch,poll,settle,merge, separated by commas; ' +
        'it is "plan,sweep" (flag).',
      'BATCHWRIGHT_MAX_LIVE_BATCHES must be a whole number from 1 to 10000; it is "many" ' +
        '(environment).',
      expect.stringMatching(/^BATCHWRIGHT_PROVIDER: .*'nobody'.*openai/),
    ]);
  });

  test('looks at what depends on two settings though a third is wrong', () => {
    const env = { BATCHWRIGHT_CREATE_SETTLE_MS: '1', BATCHWRIGHT_PORT: 'http' };
    const problems = problemsOf(env);
    expect(problems).toHaveLength(2);
    expect(problems[1]).toMatch(/^BATCHWRIGHT_CREATE_SETTLE_MS must be at least 70000/);
  });

  test('never repeats a password that stands where none may stand', () => {
    const env = {
      OPENAI_BASE_URL: 'https://me:hunter2@example.com/v1',
      BATCHWRIGHT_URL: 'https://example.com/?key=hunter2',
      REDIS_URL: 'amqp://:hunter2@example.com',
      OPENAI_API_KEY: 'hunter2 hunter2',
      BATCHWRIGHT_WEBHOOK_SECRET: 'whsec_hunter2',
      BATCHWRIGHT_API_KYE: 'hunter2',
    };
    const problems = problemsOf(env);
    expect(problems).toHaveLength(6);
    expect(problems.join()).not.toContain('hunter2');
  });

  test.each([
    ['BATCHWRIGHT_MAX_LIVE_BATCH', 'BATCHWRIGHT_MAX_LIVE_BATCHES'],
    ['BATCHWRIGHT_DATADIR', 'BATCHWRIGHT_DATA_DIR'],
    ['BATCHWRIGHT_PROT', 'BATCHWRIGHT_PORT'],
    ['BATCHWRIGHT_API_KEYFILE', 'BATCHWRIGHT_API_KEY_FILE'],
  ])('takes %s for a mistyped %s', (typo, meant) => {
    expect(problemsOf({ [typo]: '1' })).toEqual([
      `${typo} (environment) is no setting; did you mean ${meant}?`,
    ]);
  });

  test('suggests nothing for a name that is like none, and leaves names of others alone', () => {
    expect(problemsOf({ BATCHWRIGHT_UNICORN: '1' })).toEqual([
      'BATCHWRIGHT_UNICORN (environment) is no setting; docs/settings.md lists all.',
    ]);
    const env = { OPENAI_LOG: 'debug', REDIS_HOST: 'a', BATCHWRIGHT_FILES: './work' };
    expect(problemsOf(env)).toEqual([]);
  });

  test('takes a list of queues, and the secrets of webhooks', () => {
    const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
    const env = {
      BATCHWRIGHT_QUEUES: 'poll, merge,poll',
      BATCHWRIGHT_WEBHOOK_SECRET: `${secret} ${secret}`,
    };
    expect(loadConfig({}, { env, folder })).toMatchObject({
      BATCHWRIGHT_QUEUES: ['poll', 'merge'],
      BATCHWRIGHT_WEBHOOK_SECRET: `${secret} ${secret}`,
    });
    expect(loadConfig({}, { env: {}, folder }).BATCHWRIGHT_QUEUES).toEqual(QUEUES);
    for (const wrong of [`${secret} ${secret} ${secret}`, 'whsec_c2hvcnQ=', secret.slice(6)]) {
      expect(problemsOf({ BATCHWRIGHT_WEBHOOK_SECRET: wrong })).toHaveLength(1);
    }
  });

  test.each(SECRETS)('reads %s from the file that its _FILE names, without the newline', (name) => {
    const value = SAMPLES[name];
    writeFileSync(join(folder, 'secret'), `${value}\n`);
    const env = { [`${name}_FILE`]: 'secret' };
    expect(loadConfig({}, { env, folder })[name]).toBe(value);
    expect(problemsOf({ ...env, [name]: value })).toEqual([
      `${name} and ${name}_FILE are both given: leave one out.`,
    ]);
    expect(problemsOf({ [`${name}_FILE`]: 'absent' })).toEqual([
      `${name}_FILE: ${join(folder, 'absent')} cannot be read (ENOENT).`,
    ]);
    writeFileSync(join(folder, 'secret'), ' \n');
    expect(problemsOf(env)).toEqual([`${name}_FILE: ${join(folder, 'secret')} is empty.`]);
  });

  test('takes from files only what is secret', () => {
    expect(problemsOf({ BATCHWRIGHT_PORT_FILE: 'port' })).toEqual([
      'BATCHWRIGHT_PORT_FILE (environment) is no setting: only secrets may lie in files.',
    ]);
  });

  test('resolves the data directory in the working folder and drops a slash behind the URL', () => {
    const env = { OPENAI_BASE_URL: 'http://127.0.0.1:4010/v1/' };
    const config = loadConfig({ BATCHWRIGHT_DATA_DIR: 'jobs' }, { env, folder });
    expect(config.dataDir).toBe(join(folder, 'jobs'));
    expect(config.OPENAI_BASE_URL).toBe('http://127.0.0.1:4010/v1');
    expect(config.profile.name).toBe('generic');
  });

  test('refuses to give a create up while it may still be under way, where that costs', () => {
    const env = { BATCHWRIGHT_CREATE_TIMEOUT_MS: '60000' };
    const load = (settleMs: string, more: Record<string, string> = {}) =>
      loadConfig({ BATCHWRIGHT_CREATE_SETTLE_MS: settleMs }, { env: { ...env, ...more }, folder });
    expect(() => load('69999')).toThrow(/BATCHWRIGHT_CREATE_SETTLE_MS.*at least 70000/);
    expect(load('70000').BATCHWRIGHT_CREATE_SETTLE_MS).toBe(70_000);
    const local = { OPENAI_BASE_URL: 'http://127.0.0.1:4010/v1' };
    expect(load('1500', local).BATCHWRIGHT_CREATE_SETTLE_MS).toBe(1_500);
  });

  test('cannot be changed', () => {
    const config = loadConfig({}, { env: {}, folder });
    expect(Object.isFrozen(config)).toBe(true);
  });
});

describe('the view of the settings', () => {
  test('says of each its value and where that comes from, and shows no secret', () => {
    writeFileSync(join(folder, '.env'), 'BATCHWRIGHT_PORT=9000\nBATCHWRIGHT_QUEUES=poll,plan\n');
    writeFileSync(join(folder, 'key'), 'sk-secret\n');
    const env = { OPENAI_API_KEY_FILE: 'key', BATCHWRIGHT_HOST: '::1', REDIS_URL: 'redis://:s@h' };
    const views = viewSettings({ BATCHWRIGHT_DATA_DIR: 'jobs' }, { env, folder });
    expect(views.map(({ name }) => name)).toEqual(Object.keys(settings.shape));
    const others = views.filter(({ origin }) => origin.kind !== 'default');
    expect(others).toEqual([
      { name: 'OPENAI_API_KEY', value: 'set', origin: { kind: 'file', path: join(folder, 'key') } },
      { name: 'REDIS_URL', value: 'set', origin: { kind: 'environment' } },
      { name: 'BATCHWRIGHT_DATA_DIR', value: 'jobs', origin: { kind: 'flag' } },
      { name: 'BATCHWRIGHT_PORT', value: '9000', origin: { kind: '.env' } },
      { name: 'BATCHWRIGHT_HOST', value: '::1', origin: { kind: 'environment' } },
      { name: 'BATCHWRIGHT_QUEUES', value: 'poll,plan', origin: { kind: '.env' } },
    ]);
    const defaults = views.filter(({ origin }) => origin.kind === 'default');
    expect(defaults).toContainEqual({
      name: 'BATCHWRIGHT_SWEEP_INTERVAL_MS',
      value: '30000',
      origin: { kind: 'default' },
    });
    expect(defaults.find(({ name }) => name === 'OPENAI_ORG_ID')?.value).toBeNull();
  });
});
