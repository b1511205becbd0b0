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
        expect(found(scan, TOP)).toEqual(expectedOf(request, TOP));
        expect(found(scan, IN_BODY)).toEqual(expectedOf(bodyOf(request), IN_BODY));
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

/** What the scan says of each field: the value, and its text where it is one. */
function found(scan: RequestScanner, fields: Record<string, number>): unknown {
  const entries = Object.entries(fields).map(([name, field]) => {
    if (scan.first[field] === 0) return [name, 'absent'];
    const value = JSON.parse(scan.token(field).toString('utf8')) as unknown;
    return [name, typeof value === 'string' ? { value, text: scan.text(field) } : { value }];
  });
  return Object.fromEntries(entries) as unknown;
}

function expectedOf(values: object, fields: Record<string, number>): unknown {
  const plain = JSON.parse(JSON.stringify(values)) as Record<string, unknown>;
  const entries = Object.keys(fields).map((name) => {
    if (!Object.hasOwn(plain, name)) return [name, 'absent'];
    const value = plain[name];
    return [name, typeof value === 'string' ? { value, text: value } : { value }];
  });
  return Object.fromEntries(entries) as unknown;
}

/** The body's fields are read where it is an object. */
function bodyOf(request: { body?: unknown }): object {
  const { body } = request;
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? body : {};
}
