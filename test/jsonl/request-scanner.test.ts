import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BODY,
  CUSTOM_ID,
  INPUT,
  METHOD,
  MODEL,
  RequestScanner,
  STREAM,
  URL_FIELD,
} from '../../src/jsonl/request-scanner.ts';

const TOP = { custom_id: CUSTOM_ID, method: METHOD, url: URL_FIELD, body: BODY };
const IN_BODY = { model: MODEL, stream: STREAM, input: INPUT };

describe('the request scanner', () => {
  it('finds every field where JSON.parse finds it, whatever else stands around it', () => {
    const value = fc.oneof(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 2 }));
    const body = fc.record(
      { model: value, stream: value, input: value, extra: value },
      { requiredKeys: [] },
    );
    const line = fc.record(
      { other: value, custom_id: value, method: value, url: value, body: fc.oneof(body, value) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(line, fc.boolean(), (request, isEscaped) => {
        const text = JSON.stringify(request);
        const scan = scanned(isEscaped ? text.replace('"custom_id"', '"custom\\u005fid"') : text);
        expectFields(scan, TOP, request);
        const inner = request.body;
        if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) {
          expectFields(scan, IN_BODY, inner);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('counts embedding inputs: texts and lists of tokens each count one', () => {
    const inputsOf = (input: string) => scanned(`{"body":{"input":${input}}}`).inputs;
    expect(inputsOf('"one"')).toBe(1);
    expect(inputsOf('["a","b","c"]')).toBe(3);
    expect(inputsOf('[1,2,3]')).toBe(1);
    expect(inputsOf(' [ [1,2] , [3] ] ')).toBe(2);
    expect(inputsOf('[]')).toBe(1);
  });

  it('names a key that stands twice, also where an escape hides it', () => {
    expect(scanned('{"a":1,"a":2}').repeatedKey).toBe('a');
    expect(scanned('{"url":1,"\\u0075rl":2}').repeatedKey).toBe('url');
    expect(scanned('{"body":{"model":1,"model":2}}').repeatedKey).toBe('model');
    const scan = scanned('{"custom_id":"a","custom_id":"b"}');
    expect([scan.repeatedKey, scan.repeatedId]).toEqual(['custom_id', true]);
  });

  it('forgets the keys of the line before', () => {
    const scan = scanned('{"a":1,"custom_id":"x"}');
    scan.attach(Buffer.from('{"a":1}\n'));
    scan.scan(0);
    expect([scan.repeatedKey, scan.first[CUSTOM_ID]]).toEqual([null, 0]);
  });

  it('lets keys repeat that it does not read, below the top', () => {
    expect(scanned('{"body":{"x":1,"x":2,"y":{"model":1,"model":2}}}').repeatedKey).toBeNull();
  });

  it('keeps names of Object.prototype as ordinary keys', () => {
    const scan = scanned('{"__proto__":1,"constructor":2,"custom_id":"toString"}');
    expect(scan.repeatedKey).toBeNull();
    expect(scan.text(CUSTOM_ID)).toBe('toString');
  });
});

function scanned(text: string): RequestScanner {
  const scan = new RequestScanner();
  const bytes = Buffer.alloc(Buffer.byteLength(text) + 1);
  bytes.write(`${text}\n`);
  scan.attach(bytes);
  expect(scan.scan(0)).toBe(Buffer.byteLength(text));
  return scan;
}

function expectFields(
  scan: RequestScanner,
  fields: Record<string, number>,
  expected: Record<string, unknown>,
): void {
  for (const [name, field] of Object.entries(fields)) {
    const isThere = Object.hasOwn(expected, name);
    expect(scan.first[field] !== 0, name).toBe(isThere);
    if (!isThere) continue;
    const found = JSON.parse(scan.token(field).toString('utf8')) as unknown;
    expect(found).toEqual(JSON.parse(JSON.stringify(expected[name])));
    if (typeof expected[name] === 'string') expect(scan.text(field)).toBe(expected[name]);
  }
}
