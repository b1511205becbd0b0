/**
 * Our upload beside the SDK's `files.create`, against a sink on this machine that throws the
 * bytes away: MB/s, peak memory of the sending process, and the ratio of both.
 *
 *   node bench/upload.ts [--size MB] [--rounds N]
 */

import { execFile, spawn } from 'node:child_process';
import { createReadStream, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs, promisify } from 'node:util';
import OpenAI from 'openai';
import { createOpenAiProvider } from '../src/adapters/openai/provider.ts';

const MEGABYTE = 1_000_000;
const MEBIBYTE = 1024 * 1024;
const AT_ONCE = 8;
const AT_ONCE_MB = 100;
const GOAL_RATIO = 1.8;
const GOAL_PEAK_MIB = 160;

const SINK_ANSWER =
  'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n' +
  '{"id":"file-1","object":"file","created_at":1}';

type Way = 'ours' | 'sdk';

interface Figures {
  readonly seconds: number;
  /** Processor time of the sender alone: what is left when the sink is the slower one. */
  readonly cpuSeconds: number;
  readonly peakMiB: number;
}

const [command, ...rest] = process.argv.slice(2);
if (command === 'sink') await sink();
else if (command === 'send') await send(rest);
else await compare();

/** Runs both ways in turn, each in a process of its own, and prints medians. */
async function compare(): Promise<void> {
  const { values } = parseArgs({
    options: { size: { type: 'string' }, rounds: { type: 'string' } },
  });
  const sizeMB = Number(values.size ?? '300');
  const rounds = Number(values.rounds ?? '3');
  const folder = mkdtempSync(path.join(tmpdir(), 'batchwright-bench-'));
  const server = await startSink();
  try {
    const file = makeFile(folder, sizeMB);
    const ours: Figures[] = [];
    const sdk: Figures[] = [];
    for (let round = 0; round < rounds; round += 1) {
      ours.push(await measure('ours', server.url, file, 1));
      sdk.push(await measure('sdk', server.url, file, 1));
    }
    report('ours', ours, sizeMB);
    report('sdk', sdk, sizeMB);
    console.log(`speed: ${ratio(ours, sdk, 'seconds')} × the SDK (goal ${GOAL_RATIO})`);
    console.log(`the SDK needs ${ratio(ours, sdk, 'cpuSeconds')} × our processor time`);
    const many = makeFile(folder, AT_ONCE_MB);
    const oursAtOnce = await measure('ours', server.url, many, AT_ONCE);
    const sdkAtOnce = await measure('sdk', server.url, many, AT_ONCE);
    console.log(`${AT_ONCE} × ${AT_ONCE_MB} MB at once (goal ≤ ${GOAL_PEAK_MIB} MiB):`);
    report('ours', [oursAtOnce], AT_ONCE * AT_ONCE_MB);
    report('sdk', [sdkAtOnce], AT_ONCE * AT_ONCE_MB);
  } finally {
    server.stop();
    rmSync(folder, { recursive: true });
  }
}

/** Prints one way's medians. */
function report(way: string, figures: readonly Figures[], sizeMB: number): void {
  const speed = sizeMB / median(figures.map(({ seconds }) => seconds));
  const cpuMs = (median(figures.map(({ cpuSeconds }) => cpuSeconds)) * 1e6) / sizeMB;
  const peakMiB = median(figures.map((figure) => figure.peakMiB));
  const columns = [
    `${speed.toFixed(0)} MB/s`,
    `${cpuMs.toFixed(0)} ms of processor a GB`,
    `peak ${peakMiB.toFixed(0)} MiB`,
  ];
  console.log([way.padEnd(4), ...columns.map((column) => column.padStart(14))].join('  '));
}

/** How many times more `key` the other needs than ours: the median of the rounds' ratios. */
function ratio(ours: readonly Figures[], other: readonly Figures[], key: keyof Figures): string {
  const ratios = ours.map((figures, round) => (other[round]?.[key] ?? 0) / figures[key]);
  return median(ratios).toFixed(2);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function makeFile(folder: string, sizeMB: number): string {
  const file = path.join(folder, `${sizeMB}.jsonl`);
  const line = `{"custom_id":"r","method":"POST","body":{"input":"${'x'.repeat(947)}"}}\n`;
  const block = line.repeat(Math.ceil(MEGABYTE / line.length)).slice(0, MEGABYTE);
  for (let written = 0; written < sizeMB; written += 1) {
    writeFileSync(file, block, { flag: 'a' });
  }
  return file;
}

async function measure(way: Way, url: string, file: string, count: number): Promise<Figures> {
  const args = [import.meta.filename, 'send', way, url, file, String(count)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Figures;
}

async function startSink(): Promise<{ url: string; stop(): void }> {
  const child = spawn(process.execPath, [import.meta.filename, 'sink'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = (await child.stdout.setEncoding('utf8').take(1).toArray()) as string[];
  return { url: `http://127.0.0.1:${port?.trim()}/v1`, stop: () => void child.kill() };
}

/**
 * In the sink's process: answers with a file object when the form's end has come. An HTTP server
 * would be the slower side and hide the difference, so this one reads into one buffer, which
 * node offers for its own connections only, hence the private handle.
 */
async function sink(): Promise<void> {
  const server = net.createServer({ pauseOnConnect: true }, (accepted) => {
    const { _handle: handle } = accepted as unknown as { _handle: unknown };
    let tail = '';
    const onread = {
      buffer: Buffer.allocUnsafeSlow(MEBIBYTE),
      callback(lengthBytes: number, buffer: Uint8Array): boolean {
        const last = Buffer.from(buffer.subarray(Math.max(0, lengthBytes - 16), lengthBytes));
        tail = (tail + last.toString('latin1')).slice(-16);
        // The form's last boundary, and the last chunk where there is no length.
        if (/--\r\n(\r\n0\r\n\r\n)?$/.test(tail)) socket.end(SINK_ANSWER);
        return true;
      },
    };
    const options: object = { handle, onread, readable: true, writable: true };
    const socket = new net.Socket(options).on('error', () => {});
    socket.read(0);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  console.log((server.address() as AddressInfo).port);
}

/** In a sender's process: uploads the file so often at once, and prints time and peak. */
async function send([way = '', baseURL = '', file = '', count = '1']: string[]): Promise<void> {
  const { size } = statSync(file);
  const upload = way === 'ours' ? ourUpload(baseURL, file, size) : sdkUpload(baseURL, file);
  const start = performance.now();
  const cpuStart = process.cpuUsage();
  await Promise.all(Array.from({ length: Number(count) }, upload));
  const seconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(cpuStart);
  const cpuSeconds = (user + system) / 1e6;
  const peakMiB = (process.resourceUsage().maxRSS * 1024) / MEBIBYTE;
  console.log(JSON.stringify({ seconds, cpuSeconds, peakMiB }));
}

function ourUpload(baseUrl: string, localPath: string, size: number): () => Promise<unknown> {
  const provider = createOpenAiProvider({
    baseUrl,
    apiKey: 'bench',
    organization: null,
    project: null,
    userAgent: 'batchwright/bench',
    profile: { filePurpose: 'batch', uploadExpiry: 'always' },
    timeouts: { callMs: 60_000, stallMs: 60_000, answerMs: 60_000 },
  });
  const ranges = [{ start: 0, end: size }];
  const input = { localPath, ranges, filename: 'bench.jsonl', expiresAfterSeconds: 86_400 };
  return () => provider.upload(input);
}

function sdkUpload(baseURL: string, file: string): () => Promise<unknown> {
  const client = new OpenAI({ baseURL, apiKey: 'bench', maxRetries: 0 });
  return () => client.files.create({ file: createReadStream(file), purpose: 'batch' });
}
