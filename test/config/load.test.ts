import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../../config/load.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'batchwright-config-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

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

  test('names everything that is wrong at once', () => {
    const env = {
      OPENAI_BASE_URL: 'ftp://example.com',
      BATCHWRIGHT_MAX_LIVE_BATCHES: 'many',
      REDIS_URL: 'http://localhost',
    };
    const load = () => loadConfig({}, { env, folder });
    expect(load).toThrow(ConfigError);
    for (const name of Object.keys(env)) expect(load).toThrow(name);
  });

  test('reads a secret from the file that <NAME>_FILE names, without its newline', () => {
    writeFileSync(join(folder, 'key'), 'sk-secret\n');
    const env = { OPENAI_API_KEY_FILE: join(folder, 'key') };
    expect(loadConfig({}, { env, folder }).OPENAI_API_KEY).toBe('sk-secret');
    const missing = { OPENAI_API_KEY_FILE: join(folder, 'absent') };
    expect(() => loadConfig({}, { env: missing, folder })).toThrow(/OPENAI_API_KEY_FILE/);
  });

  test('resolves the data directory in the working folder and drops a slash behind the URL', () => {
    const env = { OPENAI_BASE_URL: 'http://127.0.0.1:4010/v1/' };
    const config = loadConfig({ BATCHWRIGHT_DATA_DIR: 'jobs' }, { env, folder });
    expect(config.dataDir).toBe(join(folder, 'jobs'));
    expect(config.OPENAI_BASE_URL).toBe('http://127.0.0.1:4010/v1');
    expect(config.profile.name).toBe('generic');
  });

  test('refuses a provider profile that does not exist, and says which do', () => {
    const env = { BATCHWRIGHT_PROVIDER: 'nobody' };
    expect(() => loadConfig({}, { env, folder })).toThrow(/BATCHWRIGHT_PROVIDER.*openai/);
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
