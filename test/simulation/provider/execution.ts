/** What the simulated model answers: the id of a request says what becomes of it. */

import type { Random } from '../random.ts';

/**
 * `bad` fails its batch's validation, `flaky` fails now and then, `final` is refused. Scenarios
 * also have `broke`: the account cannot pay for it.
 */
export const NATURES = [
  'ok',
  'ok',
  'ok',
  'ok',
  'ok',
  'ok',
  'flaky',
  'flaky',
  'final',
  'bad',
] as const;

/** Of a request set that nobody has looked at. */
export const SPOILT = ['ok', 'bad', 'bad', 'bad', 'final'] as const;

export function natureOf(customId: string): string {
  return customId.split('-').at(-1) ?? '';
}

/** One answer line, and whether it is a success: that is what is paid. */
export function execute(customId: string, batchId: string, random: Random) {
  const nature = natureOf(customId);
  if (nature === 'final') {
    return { line: answer(customId, 400, { error: { code: 'invalid_value' } }), ok: false };
  }
  if (nature === 'broke') {
    return { line: answer(customId, 429, { error: { code: 'insufficient_quota' } }), ok: false };
  }
  if (nature === 'flaky' && random.chance(0.4)) {
    const code = random.pick(['server_error', 'rate_limit_exceeded', 'insufficient_quota']);
    const status = code === 'server_error' ? 500 : 429;
    return { line: answer(customId, status, { error: { code } }), ok: false };
  }
  return { line: answer(customId, 200, { by: batchId }), ok: true };
}

/** The line of a request that the batch did not get to. */
export function unfinished(customId: string, code: string): string {
  return JSON.stringify({ custom_id: customId, response: null, error: { code } });
}

/** An answer to a request that nobody sent. */
export function stranger(random: Random): string {
  return answer(`stranger-${random.text(4)}`, 200, {});
}

function answer(customId: string, status: number, body: object): string {
  return JSON.stringify({
    custom_id: customId,
    response: { status_code: status, body },
    error: null,
  });
}
