/** `batchwright config show`, and what every command says where the settings are wrong. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { settings } from '../../config/schema.ts';
import { openScene } from './scene.ts';

const SHOW = ['config', 'show'];
const KEY = 'sk-planted-canary';

/** The columns of the line about a setting; values and origins hold no double spaces. */
function columnsOf(table: string, name: string): string[] {
  const line = table.split('\n').find((one) => one.startsWith(`${name} `)) ?? '';
  return line.split(/ {2,}/);
}

describe('config show', () => {
  test('shows each setting, its value and its origin, and never a secret', async () => {
    const { place } = await openScene([]);
    await writeFile(join(place.folder, '.env'), `OPENAI_API_KEY=${KEY}\nBATCHWRIGHT_PORT=9000\n`);
    await writeFile(join(place.folder, 'secret'), `redis://:${KEY}@localhost\n`);
    const { code, stdout, stderr } = await place.command(SHOW, { REDIS_URL_FILE: 'secret' });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.trimEnd().split('\n')).toHaveLength(Object.keys(settings.shape).length);
    expect(columnsOf(stdout, 'OPENAI_API_KEY')).toEqual(['OPENAI_API_KEY', 'set', '.env']);
    expect(columnsOf(stdout, 'REDIS_URL')[2]).toBe(`file ${join(place.folder, 'secret')}`);
    expect(columnsOf(stdout, 'BATCHWRIGHT_PORT')).toEqual(['BATCHWRIGHT_PORT', '9000', '.env']);
    expect(columnsOf(stdout, 'BATCHWRIGHT_DATA_DIR')[2]).toBe('environment');
    expect(columnsOf(stdout, 'BATCHWRIGHT_HOST').slice(1)).toEqual(['127.0.0.1', 'default']);
    for (const unset of ['OPENAI_ORG_ID', 'BATCHWRIGHT_ALLOWED_HOSTS']) {
      expect(columnsOf(stdout, unset).slice(1)).toEqual(['–', 'default']);
    }
    expect(stdout).not.toContain(KEY);
  });

  test('shows the same as JSON lines', async () => {
    const { place } = await openScene([]);
    const { stdout } = await place.command([...SHOW, '--json', '--data-dir', 'jobs']);
    const shown = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(shown).toContainEqual({
      setting: 'BATCHWRIGHT_DATA_DIR',
      value: 'jobs',
      origin: 'flag',
    });
    expect(shown).toContainEqual({ setting: 'OPENAI_API_KEY', value: null, origin: 'default' });
  });
});

test.each(['serve', 'worker'])('a missing key is said beside a wrong port by %s', async (words) => {
  const { place } = await openScene([]);
  const env = {
    OPENAI_BASE_URL: 'https://api.openai.com/v1',
    OPENAI_API_KEY: '',
    BATCHWRIGHT_CREATE_SETTLE_MS: '',
    BATCHWRIGHT_PORT: 'abc',
  };
  const { code, stderr } = await place.command([words], env);
  expect(code).toBe(2);
  expect(stderr.trimEnd().split('\n')).toEqual([
    'The configuration is wrong:',
    expect.stringMatching(/^BATCHWRIGHT_PORT must be .*; it is "abc" \(environment\)\.$/),
    expect.stringMatching(/^OPENAI_API_KEY is not set: /),
  ]);
});

test.each(['config show', 'worker', 'serve', 'list'])(
  'all that is wrong with the settings is said at once by %s',
  async (words) => {
    const { place } = await openScene([]);
    const env = {
      BATCHWRIGHT_DATADIR: '/tmp',
      BATCHWRIGHT_SWEEP_INTERVAL_MS: 'often',
      OPENAI_API_KEY_FILE: 'absent',
      OPENAI_BASE_URL: `http://${KEY}@localhost`,
    };
    const { code, stdout, stderr } = await place.command(words.split(' '), env);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.trimEnd().split('\n')).toEqual([
      'The configuration is wrong:',
      'BATCHWRIGHT_DATADIR (environment) is no setting; did you mean BATCHWRIGHT_DATA_DIR?',
      expect.stringMatching(/^OPENAI_API_KEY_FILE: .*absent cannot be read \(ENOENT\)\.$/),
      expect.stringMatching(/^OPENAI_BASE_URL must be .*; what is given is not \(environment\)\.$/),
      expect.stringMatching(/^BATCHWRIGHT_SWEEP_INTERVAL_MS must be .*; it is "often" \(env/),
    ]);
  },
);
