import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { answerBody } from '../../src/simulator/bodies/answer.ts';
import { valueFor } from '../../src/simulator/bodies/schema-value.ts';
import { Draws } from '../../src/simulator/random.ts';

interface Loose {
  readonly [key: string]: Loose;
}

function answerTo(endpoint: string, body: Record<string, unknown>, bodySha256 = 'ab'.repeat(32)) {
  const question = { endpoint, seed: 1, body, bodySha256, inputTokens: 12 };
  const answer = answerBody(question);
  return { body: answer.body as Loose, usage: answer.usage };
}

const PERSON = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 0, maximum: 120 } },
  required: ['name', 'age'],
  additionalProperties: false,
};

test('the same seed and body give the same answer, and another body another one', () => {
  const body = { model: 'm', messages: [] };
  const first = JSON.stringify(answerTo('/v1/chat/completions', body));
  expect(JSON.stringify(answerTo('/v1/chat/completions', body))).toBe(first);
  expect(JSON.stringify(answerTo('/v1/chat/completions', body, 'cd'.repeat(32)))).not.toBe(first);
});

test('a chat completion has n choices and a usage that adds up', () => {
  const { body, usage } = answerTo('/v1/chat/completions', { model: 'gpt-x', n: 3 });
  expect(body).toMatchObject({
    object: 'chat.completion',
    model: 'gpt-x',
    system_fingerprint: 'fp_abababababababab',
    usage: { prompt_tokens: 12, completion_tokens: usage.outputTokens },
  });
  expect(body['choices']).toMatchObject([
    { index: 0, message: { role: 'assistant', content: /./ }, finish_reason: 'stop' },
    { index: 1 },
    { index: 2 },
  ]);
  expect(body['usage']?.['total_tokens']).toBe(12 + usage.outputTokens);
});

test('a forced tool is called with arguments that fit, in chat and in responses', () => {
  const chatTool = { type: 'function', function: { name: 'save', parameters: PERSON } };
  const chat = answerTo('/v1/chat/completions', {
    model: 'm',
    tools: [{ type: 'function', function: { name: 'other' } }, chatTool],
    tool_choice: { type: 'function', function: { name: 'save' } },
  }).body as never as { choices: { message: { content: null; tool_calls: ToolCall[] } }[] };
  const call = chat.choices[0]?.message.tool_calls[0]?.function;
  expect(chat.choices[0]).toMatchObject({
    finish_reason: 'tool_calls',
    message: { content: null },
  });
  expect(call?.name).toBe('save');
  expectPerson(JSON.parse(call?.arguments ?? ''));

  const response = answerTo('/v1/responses', {
    model: 'm',
    tools: [{ type: 'function', name: 'save', parameters: PERSON }],
    tool_choice: 'required',
  }).body as never as { output: { type: string; name: string; arguments: string }[] };
  expect(response.output[0]).toMatchObject({ type: 'function_call', name: 'save' });
  expectPerson(JSON.parse(response.output[0]?.arguments ?? ''));
});

interface ToolCall {
  readonly function: { readonly name: string; readonly arguments: string };
}

function expectPerson(value: unknown): void {
  expect(value).toEqual({ name: expect.any(String), age: expect.any(Number) });
}

test('without force the draws decide between a tool and text', () => {
  const tools = [{ type: 'function', function: { name: 'save', parameters: PERSON } }];
  const reasons = Array.from({ length: 40 }, (_, index) => {
    const sha256 = index.toString(16).padStart(64, '0');
    const { body } = answerTo('/v1/chat/completions', { model: 'm', tools }, sha256);
    return body['choices']?.['0']?.['finish_reason'];
  });
  expect(new Set(reasons)).toEqual(new Set(['stop', 'tool_calls']));
});

test('a structured answer is JSON that fits its schema, in chat and in responses', () => {
  const chat = answerTo('/v1/chat/completions', {
    model: 'm',
    response_format: { type: 'json_schema', json_schema: { name: 'p', schema: PERSON } },
  }).body as never as { choices: { message: { content: string } }[] };
  expectPerson(JSON.parse(chat.choices[0]?.message.content ?? ''));
  const response = answerTo('/v1/responses', {
    model: 'm',
    text: { format: { type: 'json_schema', name: 'p', schema: PERSON } },
  }).body as never as { output: { content: { type: string; text: string }[] }[] };
  expect(response.output[0]?.content[0]?.type).toBe('output_text');
  expectPerson(JSON.parse(response.output[0]?.content[0]?.text ?? ''));
});

describe('embeddings', () => {
  const vectors = (body: Record<string, unknown>) =>
    (answerTo('/v1/embeddings', body).body as never as { data: { embedding: number[] | string }[] })
      .data;

  test('are unit vectors of the dimensions of the model, or of those asked for', () => {
    const sizes = [
      vectors({ model: 'text-embedding-3-small', input: 'a' }),
      vectors({ model: 'text-embedding-3-large', input: 'a' }),
      vectors({ model: 'text-embedding-3-large', input: 'a', dimensions: 256 }),
    ].map((data) => data[0]?.embedding.length);
    expect(sizes).toEqual([1536, 3072, 256]);
    const [first] = vectors({ model: 'm', input: 'a', dimensions: 64 });
    expect(Math.hypot(...(first?.embedding as number[]))).toBeCloseTo(1, 5);
  });

  test('are one for each input, and a list of token numbers is one input', () => {
    expect(vectors({ model: 'm', input: ['a', 'b', 'c'], dimensions: 4 })).toHaveLength(3);
    expect(vectors({ model: 'm', input: [1, 2, 3], dimensions: 4 })).toHaveLength(1);
    expect(vectors({ model: 'm', input: [[1], [2]], dimensions: 4 })).toHaveLength(2);
  });

  test('in base64 are the same floats', () => {
    const body = { model: 'm', input: 'a', dimensions: 8 };
    const plain = vectors(body)[0]?.embedding as number[];
    const [encoded] = vectors({ ...body, encoding_format: 'base64' });
    const bytes = Buffer.from(encoded?.embedding as string, 'base64');
    const decoded = plain.map((_, index) => bytes.readFloatLE(index * 4));
    expect(decoded.map((value) => value.toFixed(6))).toEqual(
      plain.map((value) => value.toFixed(6)),
    );
  });
});

test('completions and moderations answer each of their inputs', () => {
  const completions = answerTo('/v1/completions', { model: 'm', prompt: ['a', 'b'], n: 2 }).body;
  expect(completions['choices']).toHaveLength(4);
  expect(completions['object']).toBe('text_completion');
  const moderations = answerTo('/v1/moderations', { model: 'm', input: ['a', 'b'] }).body;
  expect(moderations['results']).toHaveLength(2);
  expect(moderations['results']?.['0']).toMatchObject({
    flagged: expect.any(Boolean),
    categories: { violence: expect.any(Boolean) },
    category_scores: { violence: expect.any(Number) },
  });
});

describe('a value for a schema', () => {
  const leaf = fc.oneof(
    fc.record({
      type: fc.constant('string'),
      minLength: fc.nat(5),
      maxLength: fc.integer({ min: 5, max: 50 }),
    }),
    fc.record({
      type: fc.constant('integer'),
      minimum: fc.integer({ min: -50, max: 0 }),
      maximum: fc.integer({ min: 0, max: 50 }),
    }),
    fc.record({
      type: fc.constant('number'),
      exclusiveMinimum: fc.integer({ min: -9, max: 0 }),
      maximum: fc.integer({ min: 1, max: 9 }),
    }),
    fc.constant({ type: 'boolean' }),
    fc.record({ enum: fc.array(fc.string(), { minLength: 1, maxLength: 4 }) }),
    fc.record({ const: fc.jsonValue() }),
  );
  const { schema } = fc.letrec<{ schema: Wanted }>((tie) => ({
    schema: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.record({ type: fc.constant('array'), items: tie('schema'), minItems: fc.nat(2) }),
      fc.record({ anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
      fc
        .dictionary(fc.stringMatching(/^[a-z]{1,6}$/), tie('schema'), { maxKeys: 4 })
        .map((properties) => ({ type: 'object', properties, required: Object.keys(properties) })),
    ),
  }));

  test('fits it, whatever the schema', () => {
    fc.assert(
      fc.property(schema, fc.nat(), (wanted, start) => {
        expect(fits(JSON.parse(JSON.stringify(valueFor(wanted, new Draws(start)))), wanted)).toBe(
          true,
        );
      }),
      { numRuns: 300 },
    );
  });

  test('ends where the schema refers to itself', () => {
    const tree = {
      type: 'object',
      properties: {
        name: { type: 'string' },
        children: { type: 'array', items: { $ref: '#' } },
        parent: { anyOf: [{ $ref: '#/$defs/tree' }, { type: 'null' }] },
      },
      required: ['name', 'children', 'parent'],
      $defs: { tree: { $ref: '#' } },
    };
    for (let start = 0; start < 50; start++) {
      const value = valueFor(tree, new Draws(start));
      expect(JSON.stringify(value).length).toBeLessThan(1_000_000);
      expect(value).toMatchObject({ name: expect.any(String), children: expect.any(Array) });
    }
  });

  test('has the shape of its format', () => {
    const draws = new Draws(5);
    expect(valueFor({ type: 'string', format: 'date' }, draws)).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(valueFor({ type: 'string', format: 'uuid' }, draws)).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(valueFor({ type: 'integer', multipleOf: 5, minimum: 3, maximum: 9 }, draws)).toBe(5);
  });
});

interface Wanted {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Wanted[];
  readonly items?: Wanted;
  readonly properties?: Readonly<Record<string, Wanted>>;
  readonly [bound: string]: unknown;
}

/** A naive checker of the schemas made above. */
function fits(value: unknown, wanted: Wanted): boolean {
  const bound = (name: string): number => wanted[name] as number;
  if ('const' in wanted) return JSON.stringify(value) === JSON.stringify(wanted.const);
  if (wanted.enum !== undefined) return wanted.enum.includes(value);
  if (wanted.anyOf !== undefined) return wanted.anyOf.some((part) => fits(value, part));
  if (typeof value === 'string' && wanted.type === 'string') {
    return value.length >= bound('minLength') && value.length <= bound('maxLength');
  }
  if (typeof value === 'number' && wanted.type === 'integer') {
    const isWithin = value >= bound('minimum') && value <= bound('maximum');
    return isWithin && Number.isInteger(value);
  }
  if (typeof value === 'number' && wanted.type === 'number') {
    return value > bound('exclusiveMinimum') && value <= bound('maximum');
  }
  if (Array.isArray(value) && wanted.type === 'array') {
    return (
      value.length >= bound('minItems') && value.every((item) => fits(item, wanted.items ?? {}))
    );
  }
  if (typeof value === 'object' && value !== null && wanted.type === 'object') {
    const given = value as Record<string, unknown>;
    return Object.entries(wanted.properties ?? {}).every(
      ([key, part]) => key in given && fits(given[key], part),
    );
  }
  return typeof value === 'boolean' && wanted.type === 'boolean';
}
