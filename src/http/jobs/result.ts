/** The result of a job: whole, a half, a range, or what is there of it already. */

import { Refusal } from '../../domain/errors.ts';
import type { JobState } from '../../domain/job.ts';
import type { Included, ResultViews } from '../../service/result-views.ts';
import type { Call, Mounted } from '../call.ts';
import { mount } from '../call.ts';
import { getManifest, getResult } from '../contract/results.ts';
import { longAnswer } from '../long-answer.ts';
import { Problem } from '../problem.ts';
import type { ScanTurns } from '../scan-turns.ts';
import { sendBlocks, sendView } from '../send-bytes.ts';
import type { StreamSlots } from '../stream-slots.ts';

const JSONL = 'application/jsonl';

export interface ResultParts {
  readonly results: ResultViews;
  /** For followers. */
  readonly slots: StreamSlots;
  /** For all others. */
  readonly downloads: StreamSlots;
  readonly scans: ScanTurns;
}

export function resultRoutes(parts: ResultParts): Mounted[] {
  const { results } = parts;
  return [
    mount(getResult, async (call) => {
      const { partial = false, follow = false, include = 'all' } = call.query;
      if (Number(partial) + Number(follow) + Number(include !== 'all') > 1) {
        const message = 'partial, follow and include are three wishes: take one of them.';
        const param = partial ? 'partial' : 'follow';
        throw new Problem({ status: 400, code: 'invalid_value', message, param });
      }
      const state = await call.desk.job(call.param('job'));
      if ('result' in state) await sendResult(call, state, include, parts);
      else if (state.status === 'refused') throw noResult(state);
      else if (follow) await sendFollowed(call, state, parts);
      else if (partial) await sendPartial(call, state, parts);
      else throw noResult(state);
      return undefined;
    }),
    mount(getManifest, async ({ desk, param, response }) => {
      const state = await desk.job(param('job'));
      if (!('result' in state)) throw noResult(state);
      const bytes = await results.manifest(state);
      response.setHeader('content-type', 'application/json');
      response.setHeader('content-length', bytes.length);
      response.end(bytes);
      return undefined;
    }),
  ];
}

/** Why there is no result, and the way out. */
export function noResult(state: JobState): Problem {
  const { id } = state.spec;
  if (state.status === 'refused') {
    const message = `${id} ended before anything was sent; /v1/jobs/${id} says why.`;
    return new Problem({ status: 409, code: 'no_result', message });
  }
  const message =
    `${id} is not over yet. Ask again then, or watch /v1/jobs/${id}/events; ` +
    'of the result, partial=1 gives what is there, and follow=1 streams it as it comes.';
  return new Problem({ status: 409, code: 'not_finished', message });
}

async function sendResult(
  call: Call<unknown, unknown>,
  state: Extract<JobState, { result: object }>,
  include: Included,
  { results, scans, downloads }: ResultParts,
): Promise<void> {
  const { request, response } = call;
  // Where the halves begin and end has to be found once.
  const isScan = include !== 'all' && (await results.knownSizes(state)) === null;
  if (isScan) await scans.within(call, () => results.sizes(state));
  using _slot = longAnswer(call, downloads);
  const view = await results.view(state, include);
  const { id } = state.spec;
  const suffix = include === 'all' ? '' : `-${include}`;
  await sendView(request, response, view, {
    contentType: JSONL,
    etag: `"${state.result.sha256}${suffix}"`,
    filename: `${id}${include === 'all' ? '' : `.${include}`}.jsonl`,
  });
}

async function sendFollowed(
  call: Call<unknown, unknown>,
  state: JobState,
  { results, slots }: ResultParts,
): Promise<void> {
  using _slot = longAnswer(call, slots);
  const signal = AbortSignal.any([call.signal, call.draining]);
  try {
    await sendUnfinished(call, state, results.follow(state.spec.id, signal));
  } catch (error) {
    const isRefused = error instanceof Refusal && error.code === 'no_result';
    if (!signal.aborted && !isRefused) throw error;
    // Who comes back gets what is missing, or is told why there is nothing: an end would say that
    // all of it was there.
    call.response.destroy();
  }
}

async function sendPartial(
  call: Call<unknown, unknown>,
  state: JobState,
  { results, downloads }: ResultParts,
): Promise<void> {
  using _slot = longAnswer(call, downloads);
  await sendUnfinished(call, state, results.partial(state));
}

/** Of unknown length, and never to be had again the same: neither ranges nor an ETag. */
async function sendUnfinished(
  { request, response }: Pick<Call<unknown, unknown>, 'request' | 'response'>,
  { spec }: JobState,
  blocks: AsyncIterable<Buffer>,
): Promise<void> {
  response.setHeader('content-type', JSONL);
  response.setHeader('accept-ranges', 'none');
  response.setHeader('content-disposition', `attachment; filename="${spec.id}.unfinished.jsonl"`);
  if (request.method === 'HEAD') response.end();
  else await sendBlocks(blocks, response);
}
