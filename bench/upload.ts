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
import { uploadRanges } from '../src/adapters/openai/upload-exchange.ts';

const MEGABYTE = 1_000_000;
const MEBIBYTE = 1024 * 1024;
const AT_ONCE = 8;
const AT_ONCE_MB = 100;
const GOAL_RATIO = 1.8;
const GOAL_PEAK_MIB = 160;

const SINK_ANSWER =
  'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n' +
  '{"id":"file-1","object":"file","created_at":1}';

const WAYS = ['ours', 'sdk'] as const;
type Way = (typeof WAYS)[number];

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

/** Runs the ways in turn, each in a process of its own, and prints medians. */
async function compare(): Promise<void> {
  const { values } = parseArgs({
    options: { size: { type: 'string' }, rounds: { type: 'string' } },
  });
  const sizeMB = Number(values.size ?? '300');
  const rounds = Number(values.rounds ?? '3');
  const folder = mkdtempSync(path.join(tmpdir(), 'batchwright-bench-'));
  const server = await startSink();
  try {
    const one = await measureAll(server.url, makeFile(folder, sizeMB), 1, rounds);
    report(one, sizeMB);
    console.log(`${ratio(one.ours, one.sdk, 'seconds')} × the SDK; goal ${GOAL_RATIO}`);
    const many = await measureAll(server.url, makeFile(folder, AT_ONCE_MB), AT_ONCE, 1);
    console.log(`${AT_ONCE} × ${AT_ONCE_MB} MB at once; goal ≤ ${GOAL_PEAK_MIB} MiB`);
    report(many, AT_ONCE * AT_ONCE_MB);
  } finally {
    server.stop();
    rmSync(folder, { recursive: true });
  }
}

async function measureAll(
  url: string,
  file: string,
  count: number,
  rounds: number,
): Promise<Record<Way, Figures[]>> {
  const all: Record<Way, Figures[]> = { ours: [], sdk: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const way of WAYS) all[way].push(await measure(way, url, file, count));
  }
  return all;
}

/** Prints the medians of each way. */
function report(all: Record<Way, Figures[]>, sizeMB: number): void {
  for (const way of WAYS) {
    const speed = sizeMB / median(all[way].map(({ seconds }) => seconds));
    const cpuMs = (median(all[way].map(({ cpuSeconds }) => cpuSeconds)) * 1e6) / sizeMB;
    const peakMiB = median(all[way].map((figures) => figures.peakMiB));
    const columns = [
      `${speed.toFixed(0)} MB/s`,
      `${cpuMs.toFixed(0)} ms of processor a GB`,
      `peak ${peakMiB.toFixed(0)} MiB`,
    ];
    console.log([way.padEnd(9), ...columns.map((column) => column.padStart(14))].join('  '));
  }
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
  const upload = uploadBy(way, baseURL, file);
  const start = performance.now();
  const cpuStart = process.cpuUsage();
  await Promise.all(Array.from({ length: Number(count) }, upload));
  const seconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(cpuStart);
  const cpuSeconds = (user + system) / 1e6;
  const peakMiB = (process.resourceUsage().maxRSS * 1024) / MEBIBYTE;
  console.log(JSON.stringify({ seconds, cpuSeconds, peakMiB }));
}

function uploadBy(way: string, baseUrl: string, localPath: string): () => Promise<unknown> {
  if (way === 'sdk') return () => sdkUpload(baseUrl, localPath);
  const { size } = statSync(localPath);
  const input = {
    localPath,
    ranges: [{ start: 0, end: size }],
    filename: 'bench.jsonl',
    expiresAfterSeconds: 86_400,
  };
  const transfer = {
    connection: { baseUrl, apiKey: 'bench', organization: null, project: null, userAgent: 'bench' },
    clean: (text: string) => text,
    stallMs: 60_000,
    answerMs: 60_000,
  };
  return () => uploadRanges(transfer, { purpose: 'batch' }, input, size);
}

function sdkUpload(baseURL: string, file: string): Promise<unknown> {
  const client = new OpenAI({ baseURL, apiKey: 'bench', maxRetries: 0 });
  const stream = createReadStream(file, { highWaterMark: 256 * 1024 });
  return client.files.create({ file: stream, purpose: 'batch' });
}
