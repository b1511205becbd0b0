import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { planRequestSet } from '../../../src/stages/plan/plan.ts';
import { JOB, LIMITS, PlanFolder } from './support/planned.ts';

const folder = new PlanFolder();
afterAll(() => folder.remove());

const LINES = Array.from(
  { length: 5000 },
  (_, n) => `{"custom_id":"${n}","url":"/v1/responses","body":{"model":"m${n % 3}","x":"漢字"}}\n`,
).join('');

describe('reading the request set', () => {
  it('plans a gzip file as its plain text, and hashes the compressed bytes', async () => {
    const compressed = gzipSync(LINES);
    const plain = await folder.plan(LINES, { write: false });
    const outcome = await folder.plan(compressed, { encoding: 'gzip', write: false });
    if (plain.kind !== 'planned') throw new Error('the lines are good');
    const sha256 = createHash('sha256').update(compressed).digest('hex');
    const source = { sizeBytes: compressed.length, sha256 };
    expect(outcome).toEqual({ ...plain, plan: { ...plain.plan, source } });
  });

  it('reads all members of a gzip file', async () => {
    const two = Buffer.concat([gzipSync(LINES), gzipSync('\n'), gzipSync('\n')]);
    const outcome = await folder.plan(two, { encoding: 'gzip' });
    expect(outcome).toMatchObject({ plan: { counts: { lines: 5002, requests: 5000 } } });
  });

  const whole = gzipSync(LINES);
  const damaged: [string, Buffer][] = [
    ['cut', whole.subarray(0, whole.length - 9)],
    ['changed in the middle', Buffer.from(whole).fill(0xaa, 2000, 2020)],
    ['not gzip at all', Buffer.from(LINES)],
    ['empty', Buffer.alloc(0)],
    ['followed by other bytes', Buffer.concat([whole, Buffer.from('more')])],
    ['followed by a zero and what it hides', Buffer.concat([whole, Buffer.alloc(1), whole])],
  ];
  for (const [what, bytes] of damaged) {
    it(`refuses a gzip file that is ${what}, and leaves nothing behind`, async () => {
      const planning = folder.plan(bytes, { encoding: 'gzip' });
      await expect(planning).rejects.toMatchObject({ name: 'Refusal', code: 'input_unreadable' });
      expect(readdirSync(folder.output)).toEqual([]);
    });
  }

  it('refuses an input without a request line', async () => {
    for (const input of ['', '\n \n', '\ufeff']) {
      await expect(folder.plan(input)).rejects.toMatchObject({ code: 'empty_input' });
    }
  });

  it('refuses an input that is not there or is no file', async () => {
    const missing = folder.plan('', { sourcePath: `${folder.path}/missing` });
    await expect(missing).rejects.toMatchObject({ code: 'input_unreadable' });
    const directory = folder.plan('', { sourcePath: folder.path });
    await expect(directory).rejects.toMatchObject({ code: 'input_unreadable' });
  });

  it('refuses no input for good that a process in need cannot open', () => {
    writeFileSync(folder.source, LINES);
    const module = fileURLToPath(import.meta.resolve('../../../src/stages/plan/source.ts'));
    const program = `
      const { readSource } = await import(${JSON.stringify(module)});
      const { openSync } = await import('node:fs');
      try { for (;;) openSync('/dev/null', 'r'); } catch {}
      const input = { sourcePath: ${JSON.stringify(folder.source)}, encoding: 'identity' };
      const error = await readSource(input).catch((thrown) => thrown);
      console.log(error.name, error.code);
    `;
    const limited = ['-c', 'ulimit -n 100; exec "$0" --input-type=module --eval "$1"'];
    const { stdout } = spawnSync('sh', [...limited, process.execPath, program], {
      encoding: 'utf8',
    });
    expect(stdout.trim()).toBe('Error EMFILE');
  });

  it('refuses an input that grows while it is read', async () => {
    await folder.plan(LINES);
    let isGrown = false;
    const planning = planRequestSet(
      {
        sourcePath: folder.source,
        encoding: 'identity',
        outputFolder: folder.output,
        job: JOB,
        defaults: { endpoint: null, model: null },
        limits: LIMITS,
        onInvalid: 'fail',
        write: false,
        maxReported: 100,
      },
      () => {
        if (!isGrown) appendFileSync(folder.source, LINES.slice(0, LINES.indexOf('\n') + 1));
        isGrown = true;
      },
    );
    await expect(planning).rejects.toMatchObject({ code: 'input_changed' });
  });

  it('refuses more chunks than a plan may name', async () => {
    const limits = { ...LIMITS, maxRequests: 1 };
    const [most, more] = [400_000, 400_001].map((lines) => 'x\n'.repeat(lines));
    const counted = await folder.plan(most ?? '', { limits, write: false });
    expect(counted).toMatchObject({ kind: 'planned' });
    const refused = folder.plan(more ?? '', { limits, write: false });
    await expect(refused).rejects.toMatchObject({ code: 'too_many_chunks' });
  });

  it('refuses more than two hundred models', async () => {
    const lines = Array.from(
      { length: 201 },
      (_, n) => `{"url":"/v1/responses","body":{"model":"m${n}"}}\n`,
    );
    const most = await folder.plan(lines.slice(0, 200).join(''), { write: false });
    expect(most).toMatchObject({ kind: 'planned' });
    await expect(folder.plan(lines.join(''))).rejects.toMatchObject({ code: 'too_many_models' });
    expect(readdirSync(folder.output)).toEqual([]);
  });
});
