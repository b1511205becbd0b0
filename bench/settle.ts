/**
 * Settling and joining against `cat` of the same answers, GNU sort and a Python reference, on one
 * made set of shuffled answers, in turn; peak memory of the process that settles and joins.
 * Run: node bench/settle.ts [--chunks 20] [--lines 50000] [--bytes 1600] [--models 1] [--rounds 3]
 *      [--references]: GNU sort and Python too
 */

import { execFile } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { isMainThread } from 'node:worker_threads';
import { hostTasks } from '../src/adapters/system/thread-host.ts';
import { createThreadPool } from '../src/adapters/system/thread-pool.ts';
import { RECORD_BYTES, writeRecord } from '../src/jsonl/line-index.ts';
import { checkAnswers } from '../src/stages/answers/check.ts';
import { hashResult, writeResult } from '../src/stages/answers/join.ts';
import { settleChunk } from '../src/stages/answers/settle.ts';
import { compare } from './support/ratios.ts';

/** As many settle at once as in production. */
const THREADS = 2;

const WORDS = 'balance card transfer pending refund limit fee déjà остаток карта'.split(' ');

const PYTHON = `
import json, sys
folder, chunks = sys.argv[1], int(sys.argv[2])
with open(folder + '/python.jsonl', 'wb') as result:
    for chunk in range(chunks):
        ids = open(f'{folder}/{chunk}/ids.txt').read().split()
        lines = open(f'{folder}/{chunk}/output.jsonl', 'rb')
        answers = {json.loads(line)['custom_id']: line for line in lines}
        for i in ids: result.write(answers[i])
`;

const tasks = { checkAnswers, settleChunk, writeResult, hashResult };

const { values } = parseArgs({
  options: {
    chunks: { type: 'string', default: '20' },
    lines: { type: 'string', default: '50000' },
    bytes: { type: 'string', default: '1600' },
    models: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    references: { type: 'boolean', default: false },
    work: { type: 'string' },
    check: { type: 'boolean', default: false },
  },
});
const chunks = Number(values.chunks);
const models = Number(values.models);
if (!isMainThread) hostTasks(tasks);
else if (values.work === undefined) await measure();
else await settleAndJoin(values.work, values.check);

async function measure(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'batchwright-bench-'));
  try {
    const sizeBytes = makeAnswers(folder);
    console.log(`${chunks} chunks, ${(sizeBytes / 1e6).toFixed(0)} MB of answers`);
    const outputs = `${folder}/*/output.jsonl > ${folder}/out.jsonl`;
    const shell = (script: string) => run('sh', ['-c', script]);
    const flags = [`--chunks=${chunks}`, `--models=${models}`, `--work=${folder}`];
    const ours = (...more: string[]) =>
      run(process.execPath, [import.meta.filename, ...flags, ...more]);
    const contenders = [
      { name: 'cat', run: () => shell(`cat ${outputs}`) },
      { name: 'cat, then sync', run: () => shell(`cat ${outputs}; sync ${folder}/out.jsonl`) },
      { name: 'settle + join, synced', run: () => ours() },
      { name: 'check + settle + join, synced', run: () => ours('--check') },
    ];
    if (values.references) {
      const sort = `LC_ALL=C sort -t'"' -k8,8 -S 512M ${outputs}`;
      contenders.push({ name: 'GNU sort', run: () => shell(sort) });
      const python = () => run('python3', ['-c', PYTHON, folder, String(chunks)]);
      contenders.push({ name: 'Python, a chunk at a time', run: python });
    }
    await compare(contenders, Number(values.rounds), sizeBytes);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function run(command: string, args: string[]): Promise<string> {
  return (await promisify(execFile)(command, args)).stdout.trim();
}

/** Settles all chunks on threads, joins their parts, and prints times and peak memory. */
async function settleAndJoin(folder: string, check: boolean): Promise<void> {
  const entry = new URL(import.meta.url);
  const pool = createThreadPool<typeof tasks>({ entry, size: THREADS });
  const started = performance.now();
  const all = Array.from({ length: chunks }, (_, chunk) => join(folder, String(chunk)));
  const parts = await Promise.all(all.map((path) => settle(path, check, pool)));
  const settled = performance.now();
  const resultPath = join(folder, 'result.jsonl');
  const [joined] = await Promise.all([
    pool.run('writeResult', { parts, resultPath }),
    pool.run('hashResult', { parts }),
  ]);
  const ended = performance.now();
  await pool.close();
  const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
  console.log(
    `${joined.lines} lines; settle ${((settled - started) / 1000).toFixed(2)} s, ` +
      `join ${((ended - settled) / 1000).toFixed(2)} s, peak RSS ${peak.toFixed(0)} MiB`,
  );
}

async function settle(
  path: string,
  check: boolean,
  pool: ReturnType<typeof createThreadPool<typeof tasks>>,
) {
  const outputPath = join(path, 'output.jsonl');
  const indexPath = join(path, 'answers.idx');
  if (check) await pool.run('checkAnswers', { outputPath, errorPath: null, indexPath });
  const linesPath = join(path, 'lines.idx');
  const partPath = join(path, 'part.jsonl');
  const part = await pool.run('settleChunk', {
    linesPath,
    idsPath: join(path, 'ids.bin'),
    requestsPath: join(path, 'requests.jsonl'),
    attempts: [{ kind: 'answers', attempt: 1, outputPath, errorPath: null, indexPath }],
    rejectedPath: null,
    close: null,
    partPath,
    quarantinePath: join(path, 'quarantine.jsonl'),
  });
  return { ...part, partPath, linesPath };
}

/** Writes each chunk's index, ids and shuffled answers; returns the answers' size in bytes. */
function makeAnswers(folder: string): number {
  const random = generator(7);
  const bodies = Array.from({ length: 500 }, () => bodyOf(Number(values.bytes), random));
  let sizeBytes = 0;
  for (let chunk = 0; chunk < chunks; chunk += 1) {
    const path = join(folder, String(chunk));
    mkdirSync(path);
    sizeBytes += makeChunk(path, chunk, bodies, random);
    const outputPath = join(path, 'output.jsonl');
    checkAnswers({ outputPath, errorPath: null, indexPath: join(path, 'answers.idx') });
  }
  return sizeBytes;
}

function makeChunk(
  path: string,
  chunk: number,
  bodies: readonly string[],
  random: () => number,
): number {
  const count = Number(values.lines);
  const records = Buffer.alloc(count * RECORD_BYTES);
  const ids: string[] = [];
  let idOffset = 0;
  for (let record = 0; record < count; record += 1) {
    const round = Math.floor(chunk / models);
    const line = (round * count + record) * models + (chunk % models) + 1;
    const id = `req-${String(line).padStart(9, '0')}-${(random() % 0xffff).toString(16)}`;
    const place = { offset: record * 1300, length: 1300, idOffset, idLength: id.length };
    writeRecord(records, record, { line, flags: 0, ...place });
    ids.push(id);
    idOffset += id.length;
  }
  writeFileSync(join(path, 'lines.idx'), records);
  writeFileSync(join(path, 'ids.bin'), ids.join(''));
  writeFileSync(join(path, 'ids.txt'), ids.join('\n'));
  for (let i = count - 1; i > 0; i -= 1) {
    const j = random() % (i + 1);
    [ids[i], ids[j]] = [ids[j] as string, ids[i] as string];
  }
  return writeAnswers(join(path, 'output.jsonl'), ids, bodies, random);
}

function writeAnswers(
  path: string,
  ids: readonly string[],
  bodies: readonly string[],
  random: () => number,
): number {
  const fd = openSync(path, 'w');
  let sizeBytes = 0;
  for (let from = 0; from < ids.length; from += 2000) {
    const lines = ids.slice(from, from + 2000).map((id) => {
      const body = bodies[random() % bodies.length] ?? '{}';
      const response = `{"status_code":200,"request_id":"${id.padEnd(32, '0')}","body":${body}}`;
      const name = `batch_req_${id.padEnd(32, 'f')}`;
      return `{"id":"${name}","custom_id":"${id}","response":${response},"error":null}\n`;
    });
    sizeBytes += writeSync(fd, Buffer.from(lines.join('')));
  }
  closeSync(fd);
  return sizeBytes;
}

function bodyOf(bytes: number, random: () => number): string {
  const size = bytes / 2 + (random() % bytes) - 700;
  let content = '';
  while (content.length < size) content += `${WORDS[random() % WORDS.length]} `;
  const usage = { prompt_tokens: 140, completion_tokens: 210, total_tokens: 350 };
  const message = { role: 'assistant', content, refusal: null };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: 'stop' }];
  const head = { id: 'chatcmpl-0', object: 'chat.completion', created: 1, model: 'gpt-4o-mini' };
  return JSON.stringify({ ...head, choices, usage, system_fingerprint: 'fp_0' });
}

/** Unsigned 32-bit numbers from a seed (xorshift). */
function generator(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
