/**
 * Uploads by curl into the real service, as a raw body and as a form, beside the same upload into
 * bare node:http servers that write the bytes to the disk and that throw them away: seconds, peak
 * memory of the service, and whether the bytes on its disk are the same. The service's are on the
 * disk when it answers; a bare server answers when they are on their way.
 *
 *   node bench/intake.ts [--size MB] [--rounds N]
 *   node bench/intake.ts --throttled-minutes N   one slow upload of each kind; is it cut?
 */

import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  createReadStream,
  createWriteStream,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs, promisify } from 'node:util';
import { compare } from './support/ratios.ts';

const MEGABYTE = 1_000_000;
const GOAL_RATIO = 0.5;
const GOAL_PEAK_MB = 300;
const PROGRAM = path.join(import.meta.dirname, '../src/cli/main.ts');

const WAYS = ['writing sink', 'discarding sink', 'raw body', 'form'] as const;
type Way = (typeof WAYS)[number];

const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== 'sink'),
  options: {
    size: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '3' },
    'throttled-minutes': { type: 'string' },
  },
});
if (process.argv[2] === 'sink') await sink();
else if (values['throttled-minutes'] !== undefined) await throttled();
else await measure();

async function measure(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'batchwright-intake-'));
  const service = await startService(folder);
  const sinks = await startSink(folder);
  try {
    const file = makeFile(folder, Number(values.size));
    const areSame: boolean[] = [];
    const send = async (way: Way): Promise<string | null> =>
      storedPath(way, await upload(way, file, service.url, sinks.url), folder);
    const contenders = WAYS.map((way) => ({
      name: way,
      run: async () => {
        const stored = await send(way);
        // Files that pile up would be written to memory that the machine has yet to find.
        if (stored !== null) rmSync(path.dirname(stored), { recursive: true });
        return '';
      },
    }));
    await compare(contenders, Number(values.rounds), statSync(file).size);
    const peakMB = service.peakMB();
    const expected = await sha256(file);
    for (const way of ['raw body', 'form'] as const) {
      areSame.push((await sha256((await send(way)) ?? file)) === expected);
    }
    const bytes = areSame.every(Boolean) ? 'the same as the file’s' : 'NOT THE SAME as the file’s';
    console.log(`goals: ratio to the writing sink ≥ ${GOAL_RATIO}, peak < ${GOAL_PEAK_MB} MB`);
    console.log(`service: peak ${peakMB.toFixed(0)} MB; its bytes are ${bytes}`);
    process.exitCode = areSame.every(Boolean) && peakMB < GOAL_PEAK_MB ? 0 : 1;
  } finally {
    await service.stop();
    sinks.stop();
    rmSync(folder, { recursive: true });
  }
}

/** Both kinds at once, so slow that each takes the minutes. */
async function throttled(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'batchwright-intake-'));
  const service = await startService(folder);
  try {
    const file = makeFile(folder, 20);
    const bytesPerSecond = (20 * MEGABYTE) / (Number(values['throttled-minutes']) * 60);
    const slow = ['--limit-rate', String(Math.ceil(bytesPerSecond))];
    const expected = await sha256(file);
    const ways = ['raw body', 'form'] as const;
    const ended = await Promise.all(
      ways.map(async (way) => {
        const startMs = performance.now();
        const body = await upload(way, file, service.url, '', slow);
        const seconds = (performance.now() - startMs) / 1000;
        const stored = storedPath(way, body, folder);
        const isSame = stored !== null && (await sha256(stored)) === expected;
        console.log(`${way}: ${seconds.toFixed(0)} s, ${isSame ? 'whole' : `NOT TAKEN: ${body}`}`);
        return isSame;
      }),
    );
    process.exitCode = ended.every(Boolean) ? 0 : 1;
  } finally {
    await service.stop();
    rmSync(folder, { recursive: true });
  }
}

async function upload(
  way: Way,
  file: string,
  service: string,
  sinks: string,
  more: readonly string[] = [],
): Promise<string> {
  const raw = ['-X', 'POST', '-H', 'content-type: application/jsonl', '-T', file];
  const args = {
    'discarding sink': [...raw, `${sinks}/discard`],
    'writing sink': [...raw, `${sinks}/write`],
    'raw body': [...raw, `${service}/v1/jobs`],
    form: ['-F', 'purpose=batch', '-F', `file=@${file}`, `${service}/v1/files`],
  }[way];
  const { stdout } = await promisify(execFile)('curl', ['-s', '-H', 'expect:', ...more, ...args]);
  return stdout;
}

/** Where the service has put it; null: it was sent elsewhere. */
function storedPath(way: Way, body: string, folder: string): string | null {
  const store = path.join(folder, 'data/store');
  if (way !== 'raw body' && way !== 'form') return null;
  const { id } = JSON.parse(body) as { id?: string };
  if (id === undefined) throw new Error(`the service answered ${body}`);
  return way === 'raw body'
    ? path.join(store, 'local/jobs', id, 'source.jsonl')
    : path.join(store, 'tenants/local/files', id, 'content.jsonl');
}

async function startService(folder: string) {
  const child = spawn(process.execPath, [PROGRAM, 'serve', '--port', '0', '--workers', 'none'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: homedir(),
      OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
      BATCHWRIGHT_DATA_DIR: path.join(folder, 'data'),
      BATCHWRIGHT_RUNTIME_DIR: path.join(folder, 'run'),
    },
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let said = '';
  for await (const text of child.stderr.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    said += String(text);
    if (/http:\/\/\S+/.test(said)) break;
  }
  child.stderr.resume();
  const url = /http:\/\/[^\s,]+/.exec(said)?.[0];
  if (url === undefined) throw new Error(`the service did not start: ${said}`);
  return {
    url,
    /** The most memory that it ever held, as the system counts. */
    peakMB: () => {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return (Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1024) / MEGABYTE;
    },
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}

async function startSink(folder: string): Promise<{ url: string; stop(): void }> {
  const child = spawn(process.execPath, [import.meta.filename, 'sink'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = (await child.stdout.setEncoding('utf8').take(1).toArray()) as string[];
  return { url: `http://127.0.0.1:${port?.trim()}`, stop: () => void child.kill() };
}

/** In the sinks' process: the least that a server on node:http can do with a body. */
async function sink(): Promise<void> {
  const server = createServer((request, response) => {
    const isWriting = request.url === '/write';
    const taken = isWriting
      ? pipeline(request, createWriteStream('sink.tmp'))
      : new Promise<void>((resolve) => request.resume().once('end', () => resolve()));
    void taken.then(() => response.end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  console.log((server.address() as AddressInfo).port);
}

function makeFile(folder: string, sizeMB: number): string {
  const file = path.join(folder, 'upload.jsonl');
  const body = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'x'.repeat(880) }] };
  const line = JSON.stringify({
    custom_id: 'r',
    method: 'POST',
    url: '/v1/chat/completions',
    body,
  });
  const lines = Math.ceil(MEGABYTE / (line.length + 1));
  const block = `${line}\n`.repeat(lines);
  for (let written = 0; written < sizeMB; written += 1) appendFileSync(file, block);
  return file;
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: MEGABYTE }), hash);
  return hash.digest('hex');
}
