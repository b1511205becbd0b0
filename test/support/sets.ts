/** Request sets for tests through the whole program, and what must become of them. */

import { readFile } from 'node:fs/promises';

import { expect } from 'vitest';

import type { Simulator } from '../../src/simulator/simulator.ts';
import { unpaidOrTwice } from './paid-once.ts';

const CHAT = '/v1/chat/completions';

/** Ids and texts that careless code trips over. */
const ODDITIES = ['plain', 'é\u2028ü', '日本語🙂', 'a"b\\c', '__proto__', '\u0000\u001f', ' x '];

/** One chat request; `more` goes over its top level. */
export function requestLine(id: string, model = 'gpt-4o-mini', more: object = {}): string {
  const body = { model, messages: [{ role: 'user', content: `Classify ${id} \u2029 ♥` }] };
  return JSON.stringify({ custom_id: id, method: 'POST', url: CHAT, body, ...more });
}

/** Requests for two models in turns; every id is unlike the others. */
export function mixedLines(count: number): string[] {
  return Array.from({ length: count }, (_, index) =>
    requestLine(
      `${ODDITIES[index % ODDITIES.length]}-${index}`,
      index % 3 === 0 ? 'gpt-4o' : 'gpt-4o-mini',
    ),
  );
}

/** Lines as a file. */
export function asInput(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

export interface ResultLine {
  readonly id: string | null;
  readonly custom_id: string | null;
  readonly response: { readonly status_code: number; readonly body: { model: string } } | null;
  readonly error: { readonly code: string; readonly message: string; line?: number } | null;
}

export async function readResult(path: string): Promise<ResultLine[]> {
  return resultLines(await readFile(path, 'utf8'));
}

/** The lines of a result, of which the last one is whole too. */
export function resultLines(text: string): ResultLine[] {
  expect(text.endsWith('\n')).toBe(true);
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as ResultLine);
}

/** Asserts that each request has its success, in its place, from its own model. */
export function expectAnswered(result: readonly ResultLine[], lines: readonly string[]): void {
  const requests = lines.map(
    (line) => JSON.parse(line) as { custom_id: string; body: { model: string } },
  );
  expect(result.map((line) => line.custom_id)).toEqual(requests.map((line) => line.custom_id));
  expect(result.map((line) => line.response?.status_code)).toEqual(requests.map(() => 200));
  expect(result.map((line) => line.response?.body.model)).toEqual(
    requests.map((line) => line.body.model),
  );
}

/** Asserts that each of so many requests was paid once, by one batch for its input file. */
export function expectPaidOnce(simulator: Simulator, requests: number): void {
  expect(unpaidOrTwice(simulator, requests)).toEqual([]);
}

/** Asserts that the provider never heard of anything. */
export function expectNothingSent(simulator: Simulator): void {
  expect(simulator.ledger.calls()).toEqual({});
}
