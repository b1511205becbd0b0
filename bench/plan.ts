/**
 * Planning against `split -l 50000` and a json.loads splitter, on one made input, in turn.
 * Run: node bench/plan.ts [--lines 1000000] [--rounds 3] [--no-python] [--ids 0]
 */

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { DuplicateIds } from '../src/stages/plan/duplicate-ids.ts';
import { compare } from './support/ratios.ts';
import { makeRequestSet } from './support/request-set.ts';

const { values } = parseArgs({
  options: {
    lines: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    python: { type: 'boolean', default: true },
    ids: { type: 'string', default: '0' },
  },
  allowNegative: true,
});
const support = join(import.meta.dirname, 'support');
const folder = mkdtempSync(join(tmpdir(), 'batchwright-bench-'));
try {
  if (Number(values.ids) > 0) measureIds(Number(values.ids));
  else await measurePlanning();
} finally {
  rmSync(folder, { recursive: true });
}

async function measurePlanning(): Promise<void> {
  const input = join(folder, 'requests.jsonl');
  const sizeBytes = makeRequestSet(input, Number(values.lines), 1);
  console.log(`${values.lines} lines, ${(sizeBytes / 1e6).toFixed(0)} MB`);
  const child = join(support, 'plan-child.ts');
  const contenders = [
    contender('split -l 50000', 'split', (out) => ['-l', '50000', input, `${out}/part-`]),
    contender('plan (written, synced)', process.execPath, (out) => [child, input, out, 'write']),
    contender('plan (checked only)', process.execPath, (out) => [child, input, out, 'check']),
  ];
  const script = join(support, 'json-loads-split.py');
  const python = contender('python json.loads', 'python3', (out) => [script, input, out]);
  if (values.python) contenders.push(python);
  await compare(contenders, Number(values.rounds), sizeBytes);
}

function contender(name: string, command: string, args: (out: string) => string[]) {
  const run = async () => {
    const out = join(folder, 'out');
    rmSync(out, { recursive: true, force: true });
    mkdirSync(out);
    const { stdout } = await promisify(execFile)(command, args(out));
    return stdout.trim();
  };
  return { name, run };
}

function measureIds(count: number): void {
  const ids = new DuplicateIds(folder);
  const bytes = Buffer.alloc(22, 'req-0000000000-abcdefg');
  const place = { line: 0, chunk: 0, record: 0, sizeBytes: 1300, inputs: 0 };
  const started = performance.now();
  for (let line = 1; line <= count; line += 1) {
    place.line = line;
    for (let at = 13, rest = line; at > 3; at -= 1, rest = Math.trunc(rest / 10)) {
      bytes[at] = 0x30 + (rest % 10);
    }
    ids.add(bytes, 0, bytes.length, place);
  }
  let duplicates = 0;
  ids.find(() => (duplicates += 1));
  const nanoseconds = ((performance.now() - started) * 1e6) / count;
  ids.close();
  const peakMiB = process.resourceUsage().maxRSS / 1024;
  console.log(
    `${count} ids: ${nanoseconds.toFixed(0)} ns an id, ${duplicates} duplicates, ` +
      `peak RSS ${peakMiB.toFixed(0)} MiB`,
  );
}
