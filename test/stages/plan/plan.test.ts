import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { JOB, LIMITS, PlanFolder } from './support/planned.ts';

const folder = new PlanFolder();
afterAll(() => folder.remove());

const URL = '/v1/chat/completions';
const EMBEDDINGS = '/v1/embeddings';

describe('planning a request set', () => {
  it('sends each line byte for byte, with numbers and spaces as they stand', async () => {
    const lines = [
      `{"custom_id":"n","method":"POST","url":"${URL}",` +
        '"body":{"model":"m","n":12345678901234567890}}',
      '\t{ "body" : {"x":1.0,"model":"m"} , ' +
        `"url":"${URL}","method":"POST","custom_id":"\\u00e9" }\r`,
    ];
    const plan = await planned(lines.join('\n'));
    expect(plan.chunks).toMatchObject([{ id: 'c000000', model: 'm', requests: 2, rejected: 0 }]);
    expect(readFileSync(join(folder.output, 'c000000', 'requests.jsonl'), 'utf8')).toBe(
      `${lines.join('\n')}\n`,
    );
    expect(folder.lines('c000000').map((line) => line.id)).toEqual(['n', 'é']);
    expect(readdirSync(join(folder.output, 'c000000')).toSorted()).toEqual([
      'ids.bin',
      'lines.idx',
      'requests.jsonl',
    ]);
  });

  it('inserts what a line leaves out and changes no other byte', async () => {
    const defaults = { endpoint: URL, model: 'say "m"' } as const;
    const plan = await planned('\ufeff\n{"body":{}}\n{"body": { "a":1.0}}', { defaults });
    const members = (line: number) =>
      `"custom_id":"${JOB}-${line}","method":"POST","url":"${URL}",`;
    expect(folder.lines('c000000').map((line) => line.text)).toEqual([
      `{${members(2)}"body":{"model":"say \\"m\\""}}\n`,
      `{${members(3)}"body": {"model":"say \\"m\\"", "a":1.0}}\n`,
    ]);
    expect(plan.counts).toEqual({ lines: 3, blank: 1, requests: 2, rejected: 0, insertedIds: 2 });
    expect(plan.models).toEqual(['say "m"']);
  });

  it('takes the endpoint of the first line that can be sent for the whole set', async () => {
    const lines = [
      '{"custom_id":"a","body":{"model":"m"}}',
      request('b', { body: '{}' }),
      request('c', {}),
      '{"custom_id":"d","body":{"model":"m"}}',
    ];
    const plan = await planned(lines.join('\n'));
    expect(plan.endpoint).toBe(URL);
    expect(plan.counts).toMatchObject({ requests: 2, rejected: 2 });
  });

  it('does not take the endpoint of a line that cannot be sent', async () => {
    const bad = request('a', { url: EMBEDDINGS });
    const plan = await planned(`${bad}\n${request('b', {})}`);
    expect(plan.endpoint).toBe(URL);
    expect(plan.counts).toMatchObject({ requests: 1, rejected: 1 });
  });

  it('hashes the source as it stands', async () => {
    const input = `\ufeff${request('a', {})}\r\n\n`;
    const plan = await planned(input);
    const sha256 = createHash('sha256').update(input).digest('hex');
    expect(plan.source).toEqual({ sizeBytes: Buffer.byteLength(input), sha256 });
  });

  it('fills chunks greedily, one open chunk a model, and cuts at each limit', async () => {
    const models = ['a', 'a', 'b', 'a', 'b', 'a'];
    const lines = models.map((model, n) => request(`${n}`, { body: `{"model":"${model}"}` }));
    const byCount = await planned(lines.join('\n'), { limits: { ...LIMITS, maxRequests: 3 } });
    expect(byCount.chunks.map((chunk) => [chunk.model, chunk.requests])).toEqual([
      ['a', 3],
      ['b', 2],
      ['a', 1],
    ]);
    const maxBytes = 2 * Buffer.byteLength(`${lines[0]}\n`);
    const bySize = await planned(lines.join('\n'), { limits: { ...LIMITS, maxBytes } });
    expect(bySize.chunks.map((chunk) => [chunk.model, chunk.requests])).toEqual([
      ['a', 2],
      ['b', 2],
      ['a', 2],
    ]);
  });

  it('counts embedding inputs towards the limit of a chunk', async () => {
    const inputs = ['"one"', '["a","b","c"]', '[1,2,3]', '[[1],[2]]'];
    const lines = inputs.map((input, n) =>
      request(`${n}`, { url: EMBEDDINGS, body: `{"model":"m","input":${input}}` }),
    );
    const plan = await planned(lines.join('\n'), { limits: { ...LIMITS, maxInputs: 4 } });
    expect(plan.chunks.map((chunk) => chunk.inputs)).toEqual([4, 3]);
  });

  it('takes the inputs of a duplicate out of its chunk', async () => {
    const body = '{"model":"m","input":["a","b"]}';
    const lines = ['x', 'y', 'x'].map((id) => request(id, { url: EMBEDDINGS, body }));
    const plan = await planned(lines.join('\n'));
    expect(plan.chunks).toMatchObject([{ requests: 2, rejected: 1, inputs: 4 }]);
  });

  it('puts rejected lines before the first request into its chunk', async () => {
    const plan = await planned(`nonsense\n[]\n${request('a', {})}\n7`);
    expect(plan.chunks).toMatchObject([
      { model: 'm', requests: 1, rejected: 3, firstLine: 1, lastLine: 4 },
    ]);
    expect(folder.lines('c000000').map((line) => line.isRejected)).toEqual([
      true,
      true,
      false,
      true,
    ]);
  });

  it('plans a set of rejected lines alone as chunks without a model, of bounded size', async () => {
    const plan = await planned('x\n'.repeat(10), { limits: { ...LIMITS, maxRequests: 1 } });
    expect(plan.models).toEqual([]);
    expect(plan.chunks.map((chunk) => [chunk.model, chunk.rejected])).toEqual([
      [null, 4],
      [null, 4],
      [null, 2],
    ]);
  });

  it('keeps the first line of an id; a chunk of duplicates has no model', async () => {
    const lines = [request('a', {}), request('b', {}), request('\\u0061', {}), request('a', {})];
    const plan = await planned(lines.join('\n'), { limits: { ...LIMITS, maxRequests: 2 } });
    expect(plan.chunks).toMatchObject([
      { model: 'm', requests: 2, rejected: 0 },
      { model: null, requests: 0, rejected: 2, sizeBytes: 0 },
    ]);
    const answers = folder.lines('c000001').map((line) => line.text);
    expect(answers[0]).toContain('"custom_id":"\\u0061"');
    expect(answers[1]).toContain('line 1 has the same custom_id');
  });

  it('gives an id to the line that is sent, not to a rejected one before it', async () => {
    const lines = [request('a', { method: '"GET"' }), request('a', {})];
    const plan = await planned(lines.join('\n'));
    expect(plan.counts).toMatchObject({ requests: 1, rejected: 1 });
  });

  it('lists the first bad lines, counts all of them and leaves no file when it fails', async () => {
    const lines = Array.from({ length: 300 }, (_, n) => (n % 2 === 0 ? request(`${n}`, {}) : 'x'));
    lines.push(request('0', {}));
    const outcome = await folder.plan(lines.join('\n'), { onInvalid: 'fail', maxReported: 5 });
    if (outcome.kind !== 'refused') throw new Error('bad lines must refuse the set');
    expect(outcome.rejected.map((one) => one.line)).toEqual([2, 4, 6, 8, 10]);
    expect(outcome.rejectedTotal).toBe(151);
    expect(outcome.counts).toMatchObject({ lines: 301, requests: 150, rejected: 151 });
    expect(readdirSync(folder.output)).toEqual([]);
  });

  it('gives up a long run of good lines when a bad one follows in the same block', async () => {
    const good = Array.from({ length: 1500 }, (_, n) => request(`${n}`, {}));
    const outcome = await folder.plan(`${good.join('\n')}\nx\n`, { onInvalid: 'fail' });
    expect(outcome).toMatchObject({ kind: 'refused', rejectedTotal: 1 });
    expect(readdirSync(folder.output)).toEqual([]);
  });

  it('lists a duplicate as a bad line when it is the only one', async () => {
    const lines = [request('a', {}), request('b', {}), request('a', {})];
    const outcome = await folder.plan(lines.join('\n'), { onInvalid: 'fail' });
    expect(outcome).toMatchObject({
      kind: 'refused',
      rejected: [{ line: 3, code: 'duplicate_custom_id' }],
      rejectedTotal: 1,
    });
    expect(readdirSync(folder.output)).toEqual([]);
  });

  it('writes no file when it only checks', async () => {
    await planned(request('a', {}), { write: false });
    expect(readdirSync(folder.output)).toEqual([]);
  });
});

async function planned(input: string, options: Parameters<PlanFolder['plan']>[1] = {}) {
  const outcome = await folder.plan(input, options);
  if (outcome.kind !== 'planned') throw new Error('the set must not be refused');
  return outcome.plan;
}

/** A line that can be sent, with parts of its text replaced. */
function request(
  id: string,
  { method = '"POST"', url = URL, body = '{"model":"m"}' }: Partial<Record<string, string>>,
): string {
  return `{"custom_id":"${id}","method":${method},"url":"${url}","body":${body}}`;
}
