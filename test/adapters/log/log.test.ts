import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { createLog } from '../../../src/adapters/log/log.ts';
import { REDACTED } from '../../../src/adapters/log/redaction.ts';
import type { LogLevel } from '../../../src/ports/log.ts';

const SECRET = 'canary-hemlighet-0123456789';

function logTo(lines: Record<string, unknown>[], level: LogLevel = 'info') {
  const write = (line: string): void => {
    expect(line.endsWith('\n')).toBe(true);
    lines.push(JSON.parse(line) as Record<string, unknown>);
  };
  return createLog({ level, write, secrets: [SECRET, 'none'] });
}

test('a line is one JSON object with its level, its time, its fields and its message', () => {
  const lines: Record<string, unknown>[] = [];
  logTo(lines).warn('50 % of %s\nfull', { job: 'job_1', ms: 2.5, cut: true, chunk: null });
  const [line] = lines;
  expect(line).toMatchObject({ level: 'warn', message: '50 % of %s\nfull', job: 'job_1', ms: 2.5 });
  expect(line).toMatchObject({ cut: true, chunk: null });
  expect(Date.parse(String(line?.['time']))).toBeGreaterThan(Date.now() - 60_000);
  expect(line).not.toHaveProperty('hostname');
});

test('what is below the level is not written, and silent is silent', () => {
  const lines: Record<string, unknown>[] = [];
  logTo(lines, 'warn').info('no');
  logTo(lines, 'warn').debug('no');
  logTo(lines, 'warn').error('yes');
  logTo(lines, 'silent').error('no');
  expect(lines.map(({ message }) => message)).toEqual(['yes']);
});

test('every line of a log with fields has them', () => {
  const lines: Record<string, unknown>[] = [];
  logTo(lines).with({ request: 'r1', password: 'x' }).with({ tenant: 't' }).info('said', { n: 1 });
  expect(lines[0]).toMatchObject({ request: 'r1', tenant: 't', n: 1, password: REDACTED });
});

test.each([
  ['a configured secret', `it said ${SECRET}!`],
  ['a bearer', 'Authorization: Bearer canary.abc-123'],
  ['a basic login', 'authorization: basic Y2FuYXJ5OmNhbmFyeQ=='],
  ['a key of ours', 'bw_0a1b2c3d4e5f_canaryCANARYcanaryCANARYcanaryCANARYcan'],
  ['a key of the provider', 'Incorrect API key provided: sk-proj-canary0123456789'],
  ['a webhook secret', 'whsec_canaryY2FuYXJ5Y2FuYXJ5Y2FuYXJ5'],
  ['a login in a URL', 'redis://user:canary@redis.example:6379/0 is away'],
])('%s gets into no line, neither as message nor as field', (_, text) => {
  const lines: Record<string, unknown>[] = [];
  logTo(lines).error(text, { reason: text });
  expect(JSON.stringify(lines)).not.toMatch(/canary|Y2FuYXJ5/i);
  expect(JSON.stringify(lines)).toContain(REDACTED);
});

test.each(['authorization', 'Cookie', 'api_key', 'apiKey', 'prompt', 'body', 'secret'])(
  'a field called %s is written without its value',
  (name) => {
    const lines: Record<string, unknown>[] = [];
    logTo(lines).info('said', { [name]: 'canary' });
    expect(lines[0]).toMatchObject({ [name]: REDACTED });
  },
);

test('placeholders of keys garble nothing', () => {
  const lines: Record<string, unknown>[] = [];
  logTo(lines).info('none of it');
  expect(lines[0]).toMatchObject({ message: 'none of it' });
});

test('on stdout all lines are there when it is closed, and a gone reader is no crash', async () => {
  const module = join(import.meta.dirname, '../../../src/adapters/log/log.ts');
  const script = `
    const { createLog } = await import(${JSON.stringify(module)});
    const log = createLog({ level: 'info', write: null, secrets: [] });
    for (let n = 0; n < 3000; n += 1) log.info('line', { n });
    await log.close();
    process.stdout.destroy();
    log.info('after the reader has gone');
    await log.close();
    process.stderr.write('ended');`;
  const args = ['--input-type=module', '-e', script];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let told = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  child.stderr.on('data', (text: Buffer) => (told += text.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  expect(told).toBe('ended');
  expect(code).toBe(0);
  const numbers = said.split('\n').filter((line) => line.includes('"n":'));
  expect(numbers).toHaveLength(3000);
});
