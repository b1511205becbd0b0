import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { Plan } from '../../../src/domain/plan.ts';
import type { PlanOutcome } from '../../../src/stages/plan/plan.ts';
import { LIMITS, JOB, PlanFolder } from './support/planned.ts';
import type { WrittenLine } from './support/planned.ts';

const folder = new PlanFolder();
afterAll(() => folder.remove());

const URL = '/v1/chat/completions';
const CONTENT = fc.constantFrom('hi', 'é\u2028漢🎉', 'quote " and \\ slash', 'x'.repeat(70));
const MODEL = fc.constantFrom('a', 'b', 'c');
const ID = fc.constantFrom('1', '2', 'é', 'toString', '__proto__', 'long'.repeat(20));

/** A line that can be sent, unless its id stood before. */
const good = fc
  .record({ id: ID, serial: fc.nat(), isUnique: fc.boolean(), model: MODEL, content: CONTENT })
  .map(({ id, serial, isUnique, model, content }) => {
    const customId = isUnique ? `${id}-${serial}` : id;
    const body = { model, messages: [{ role: 'user', content }] };
    return JSON.stringify({ custom_id: customId, method: 'POST', url: URL, body });
  });
const escaped = good.map((line) => line.replace('"custom_id":"é', '"custom\\u005fid":"\\u00E9'));
const bare = fc
  .record({ model: MODEL, n: fc.nat() })
  .map(({ model, n }) => ` { "body" : {"n":${n}.0,"model":"${model}"} } \r`);
const bad = fc.constantFrom(
  ['{"custom_id":"x","body":{}', 'invalid_json'],
  ['[1]', 'not_an_object'],
  ['{"custom_id":"bad","body":{"model":"b","stream":true}}', 'streaming_unsupported'],
  ['{"custom_id":7,"body":{"model":"a"}}', 'invalid_custom_id'],
  ['{"custom_id":"get","method":"GET","body":{"model":"a"}}', 'invalid_method'],
  ['{"custom_id":"url","url":"/v1/embeddings","body":{"model":"a"}}', 'mixed_url'],
  ['{"custom_id":"m","body":{"model":""}}', 'invalid_model'],
) as fc.Arbitrary<[string, string]>;

interface Line {
  readonly text: string;
  readonly code: string | null;
}

const line: fc.Arbitrary<Line> = fc.oneof(
  { weight: 8, arbitrary: good.map((text) => ({ text, code: null })) },
  { weight: 2, arbitrary: escaped.map((text) => ({ text, code: null })) },
  { weight: 2, arbitrary: bare.map((text) => ({ text, code: null })) },
  { weight: 2, arbitrary: bad.map(([text, code]) => ({ text, code })) },
  { weight: 1, arbitrary: fc.constantFrom('', ' \t', '\r').map((text) => ({ text, code: null })) },
);

const set = fc.record({
  lines: fc.array(line, { minLength: 1, maxLength: 40 }).filter((all) => all.some(isRequest)),
  endsWithNewline: fc.boolean(),
  maxRequests: fc.integer({ min: 1, max: 6 }),
  maxBytes: fc.constantFrom(400, 900, 1_000_000),
});

describe('the planner', () => {
  it('agrees with a naive planner: every line once, in order, whole, within limits', async () => {
    await fc.assert(
      fc.asyncProperty(set, async ({ lines, endsWithNewline, maxRequests, maxBytes }) => {
        const text = lines.map((one) => one.text).join('\n') + (endsWithNewline ? '\n' : '');
        const limits = { ...LIMITS, maxRequests, maxBytes };
        const defaults = { endpoint: URL, model: null } as const;
        const outcome = await folder.plan(text, { limits, defaults });
        if (outcome.kind !== 'planned') throw new Error('nothing is refused with skip');
        const written = outcome.plan.chunks.flatMap((chunk) => folder.lines(chunk.id));
        const expected = naive(lines);
        expect(written.toSorted((a, b) => a.line - b.line).map(asExpected)).toEqual(expected);
        expectChunks(outcome.plan, limits);
        expect(outcome.plan.idsDigest).toBe(naiveDigest(expected));
        const checked = await folder.plan(text, { limits, defaults, write: false });
        expect(checked).toEqual(outcome);
        const failed = await folder.plan(text, { limits, defaults, onInvalid: 'fail' });
        expect(refused(failed)).toEqual(naiveRefused(expected));
      }),
      { numRuns: 150 },
    );
  });
});

interface Expected {
  readonly line: number;
  readonly code: string | null;
  readonly id: string | null;
  /** The bytes that are sent; null for a rejected line. */
  readonly sent: string | null;
}

function naive(lines: readonly Line[]): Expected[] {
  const seen = new Set<string>();
  return lines.flatMap(({ text, code }, index): Expected[] => {
    if (!isRequest({ text, code })) return [];
    const number = index + 1;
    if (code !== null) return [{ line: number, code, id: idOf(text), sent: null }];
    const own = idOf(text);
    const id = own ?? `${JOB}-${number}`;
    if (seen.has(id)) return [{ line: number, code: 'duplicate_custom_id', id, sent: null }];
    seen.add(id);
    const head = `{"custom_id":"${id}","method":"POST","url":"${URL}",`;
    const sent = own === null ? text.replace('{', head) : text;
    return [{ line: number, code: null, id, sent: `${sent}\n` }];
  });
}

function asExpected(written: WrittenLine): Expected {
  const { line, id, text, isRejected } = written;
  if (!isRejected) return { line, code: null, id, sent: text };
  const answer = JSON.parse(text) as { custom_id: string | null; error: { code: string } };
  const own = `batchwright-${line}`;
  expect(answer).toMatchObject({ id: own, custom_id: id, response: null, error: { line } });
  return { line, code: answer.error.code, id, sent: null };
}

function expectChunks(plan: Plan, limits: typeof LIMITS): void {
  for (const chunk of plan.chunks) {
    const lines = folder.lines(chunk.id);
    const sent = lines.filter((one) => !one.isRejected);
    const models = new Set(sent.map((one) => (JSON.parse(one.text) as Sent).body.model));
    expect([...models]).toEqual(chunk.model === null ? [] : [chunk.model]);
    expect(lines.map((one) => one.line)).toEqual(lines.map((one) => one.line).toSorted(ascending));
    expect([lines[0]?.line, lines.at(-1)?.line]).toEqual([chunk.firstLine, chunk.lastLine]);
    expect([chunk.requests, chunk.rejected]).toEqual([sent.length, lines.length - sent.length]);
    expect(chunk.sizeBytes).toBe(Buffer.byteLength(sent.map((one) => one.text).join('')));
    expect(chunk.requests).toBeLessThanOrEqual(limits.maxRequests);
    expect(chunk.sizeBytes).toBeLessThanOrEqual(limits.maxBytes);
  }
}

interface Sent {
  readonly body: { readonly model: string };
}

/** The rejected lines and their codes, as a refusal lists them. */
function refused(outcome: PlanOutcome): unknown {
  if (outcome.kind === 'planned') return { total: 0, list: [] };
  const list = outcome.rejected.map((one) => [one.line, one.code]);
  return { total: outcome.rejectedTotal, list };
}

function naiveRefused(all: readonly Expected[]): unknown {
  const list = all.filter((one) => one.code !== null).map((one) => [one.line, one.code]);
  return { total: list.length, list };
}

function naiveDigest(lines: readonly Expected[]): string {
  const parts = lines.map(({ id }) => (id === null ? '-' : `${Buffer.byteLength(id)}:${id},`));
  return createHash('sha256').update(parts.join('')).digest('hex');
}

function idOf(text: string): string | null {
  try {
    const id = (JSON.parse(text) as { custom_id?: unknown }).custom_id;
    return typeof id === 'string' ? id : null;
  } catch {
    return null;
  }
}

function isRequest({ text }: Line): boolean {
  return text.trim() !== '';
}

function ascending(a: number, b: number): number {
  return a - b;
}
