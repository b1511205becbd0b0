import { afterAll, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../src/domain/request.ts';
import { LIMITS, PlanFolder } from './support/planned.ts';

const folder = new PlanFolder();
afterAll(() => folder.remove());

const CHAT = '/v1/chat/completions';
const BODY = '"body":{"model":"m"}';
const EMBED = '"url":"/v1/embeddings","body":{"model":"m"';

const CASES: [string, string | Buffer, string][] = [
  ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'invalid_utf8'],
  ['half a surrogate in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'invalid_utf8'],
  ['a cut object', `{"custom_id":"a",${BODY}`, 'invalid_json'],
  ['text after the object', `{${BODY}} x`, 'invalid_json'],
  ['a list', '[{}]', 'not_an_object'],
  ['a line over the limit', `{"x":"${'y'.repeat(3000)}"}`, 'line_too_long'],
  ['a line over the limit and many reads', 'y'.repeat(2_000_000), 'line_too_long'],
  ['deep nesting', `{"x":${'['.repeat(64)}${']'.repeat(64)},${BODY}}`, 'nested_too_deep'],
  ['a key that stands twice', `{"custom_id":"a",${BODY},${BODY}}`, 'duplicate_key'],
  ['a model that stands twice', '{"body":{"model":"m","model":"m"}}', 'duplicate_key'],
  ['a custom_id that is a number', `{"custom_id":1,${BODY}}`, 'invalid_custom_id'],
  ['a custom_id that is null', `{"custom_id":null,${BODY}}`, 'invalid_custom_id'],
  ['an empty custom_id', `{"custom_id":"",${BODY}}`, 'invalid_custom_id'],
  ['a custom_id of half a surrogate', `{"custom_id":"\\ud800",${BODY}}`, 'invalid_custom_id'],
  ['another method', `{"method":"GET",${BODY}}`, 'invalid_method'],
  ['an unknown url', `{"url":"/v1/images",${BODY}}`, 'unknown_url'],
  ['a url that is no string', `{"url":["${CHAT}"],${BODY}}`, 'unknown_url'],
  ['another endpoint than the set', `{"url":"/v1/responses",${BODY}}`, 'mixed_url'],
  ['no body', '{"custom_id":"a"}', 'missing_body'],
  ['a body that is a text', '{"body":"{}"}', 'invalid_body'],
  ['no model', '{"body":{}}', 'missing_model'],
  ['a model that is null', '{"body":{"model":null}}', 'invalid_model'],
  ['an empty model', '{"body":{"model":""}}', 'invalid_model'],
  ['streaming', '{"body":{"model":"m","stream":true}}', 'streaming_unsupported'],
  [
    'a request over the size of a chunk',
    `{"body":{"model":"${'m'.repeat(900)}"}}`,
    'request_too_large',
  ],
];

const EMBEDDING_CASES: [string, string, string][] = [
  ['no input', `{${EMBED}}}`, 'missing_input'],
  ['an input that is null', `{${EMBED},"input":null}}`, 'missing_input'],
  ['more inputs than a chunk may have', `{${EMBED},"input":["a","b","c"]}}`, 'too_many_inputs'],
];

const LIMITED = { ...LIMITS, maxBytes: 1000, maxInputs: 2, maxLineBytes: 2000 };

describe('a line is rejected', () => {
  for (const [what, line, code] of CASES) {
    it(`for ${what}: ${code}`, async () => {
      expect(await fates(line, CHAT)).toEqual(fatesOf(code));
    });
  }
  for (const [what, line, code] of EMBEDDING_CASES) {
    it(`for ${what} of an embeddings request: ${code}`, async () => {
      expect(await fates(line, '/v1/embeddings')).toEqual(fatesOf(code));
    });
  }

  it('for a url that is missing where nothing says which: missing_url', async () => {
    const defaults = { endpoint: null, model: null };
    const outcome = await folder.plan(`{${BODY}}`, { defaults, onInvalid: 'fail' });
    expect(outcome).toMatchObject({ rejected: [{ line: 1, code: 'missing_url' }] });
  });
});

const NAMED = '"custom_id":"a","method":"POST"';

describe('a line of a strict set', () => {
  const strictly = async (endpoint: Endpoint, line: string) => {
    const defaults = { endpoint, model: null, isStrict: true } as const;
    const outcome = await folder.plan(line, { defaults, onInvalid: 'fail' });
    return outcome.kind === 'refused' ? outcome.rejected.map(({ code }) => code) : [];
  };
  const cases: [Endpoint, string, string | null][] = [
    [CHAT, `{"method":"POST","url":"${CHAT}","body":{"model":"m","messages":[]}}`, 'custom_id'],
    [CHAT, `{"custom_id":"a","url":"${CHAT}","body":{"model":"m","messages":[]}}`, 'method'],
    [CHAT, `{${NAMED},"body":{"model":"m","messages":[]}}`, 'url'],
    [CHAT, `{${NAMED},"url":"${CHAT}"}`, 'body'],
    [CHAT, `{${NAMED},"url":"${CHAT}","body":{"messages":[]}}`, 'model'],
    [CHAT, `{${NAMED},"url":"${CHAT}","body":{"model":"m","prompt":"p"}}`, 'messages'],
    [CHAT, `{${NAMED},"url":"${CHAT}","body":{"model":"m","x":{"messages":[]}}}`, 'messages'],
    [CHAT, `{${NAMED},"url":"${CHAT}","body":{"model":"m","m\\u0065ssages":[]}}`, null],
    [CHAT, `{${NAMED},"url":"${CHAT}","body":{"model":"m","messages":1,"messages":[]}}`, null],
  ];
  for (const [endpoint, field] of [
    ['/v1/completions', 'prompt'],
    ['/v1/responses', 'input'],
    ['/v1/moderations', 'input'],
    ['/v1/embeddings', 'input'],
  ] as const) {
    const head = `{${NAMED},"url":"${endpoint}","body":{"model":"m"`;
    cases.push([endpoint, `${head}}}`, field], [endpoint, `${head},"${field}":"x"}}`, null]);
  }
  const kept = `{${NAMED},"url":"/v1/responses","body":{"model":"m","prompt":{"id":"p"}}}`;
  cases.push(['/v1/responses', kept, null]);
  for (const [endpoint, line, field] of cases) {
    const code = field === null ? 'nothing' : `missing_${field}`;
    it(`is rejected for ${code}: ${line}`, async () => {
      expect(await strictly(endpoint, line)).toEqual(field === null ? [] : [code]);
    });
  }
});

describe('a line that is sent', () => {
  const accepted: [string, string][] = [
    ['with stream false', '{"body":{"model":"m","stream":false}}'],
    ['with an escaped method', `{"method":"P\\u004fST",${BODY}}`],
    ['with an escaped url', `{"url":"\\/v1\\/chat\\/completions",${BODY}}`],
    ['with keys that nobody knows', `{"__proto__":{},"note":"x",${BODY}}`],
    ['with U+2028 inside a string', `{"note":"a\u2028b",${BODY}}`],
    ['with nesting at the limit', `{"x":${'['.repeat(63)}${']'.repeat(63)},${BODY}}`],
  ];
  for (const [how, line] of accepted) {
    it(`may come ${how}`, async () => {
      const defaults = { endpoint: CHAT, model: null } as const;
      const outcome = await folder.plan(line, { defaults });
      expect(outcome).toMatchObject({ plan: { counts: { requests: 1, rejected: 0 } } });
    });
  }
});

/** What becomes of the line between two good ones, once with `fail` and once with `skip`. */
async function fates(line: string | Buffer, endpoint: Endpoint): Promise<unknown> {
  const good = '{"body":{"model":"m","input":"x"}}\n';
  const input = Buffer.concat([Buffer.from(good), Buffer.from(line), Buffer.from(`\n${good}`)]);
  const options = { defaults: { endpoint, model: null }, limits: LIMITED };
  const failed = await folder.plan(input, { ...options, onInvalid: 'fail' });
  const skipped = await folder.plan(input, options);
  return {
    failed: failed.kind === 'refused' ? failed.rejected.map((one) => [one.line, one.code]) : [],
    skipped: skipped.kind === 'planned' ? skipped.plan.counts : null,
  };
}

function fatesOf(code: string): unknown {
  const skipped = { lines: 3, blank: 0, requests: 2, rejected: 1, insertedIds: 2 };
  return { failed: [[2, code]], skipped };
}
