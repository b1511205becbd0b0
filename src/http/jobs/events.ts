/** What happens to a job, as server-sent events. */

import type { FeedItem, JobFeeds } from '../../service/job-feeds.ts';
import type { Mounted } from '../call.ts';
import { mount } from '../call.ts';
import type { EndEventBody, JobEventBody, ProgressEventBody } from '../contract/results.ts';
import { watchJob } from '../contract/results.ts';
import { longAnswer } from '../long-answer.ts';
import { sendBlocks } from '../send-bytes.ts';
import type { StreamSlots } from '../stream-slots.ts';
import { seconds } from './job-body.ts';

/** What a browser waits before it connects again. */
const RETRY_MS = 2_000;

const VERSION = /^\d{1,15}$/;

export interface EventParts {
  readonly feeds: JobFeeds;
  readonly slots: StreamSlots;
}

export function eventRoutes({ feeds, slots }: EventParts): Mounted[] {
  return [
    mount(watchJob, async (call) => {
      const { desk, param, request, response } = call;
      const { spec } = await desk.job(param('job'));
      using _slot = longAnswer(call, slots);
      response.setHeader('content-type', 'text/event-stream');
      // What stands in front of us must neither keep nor change a stream.
      response.setHeader('cache-control', 'no-store, no-transform');
      response.setHeader('x-accel-buffering', 'no');
      if (request.method === 'HEAD') {
        response.end();
        return undefined;
      }
      // A stream that ends without the event `end` is gone on with elsewhere.
      const ending = AbortSignal.any([call.signal, call.draining]);
      const after = versionIn(request.headers['last-event-id']);
      await sendBlocks(written(feeds.watch(spec.id, after, ending)), response);
      return undefined;
    }),
  ];
}

/** An id that is none of ours is as good as none: all is told from the first event. */
function versionIn(header: string | string[] | undefined): number {
  return typeof header === 'string' && VERSION.test(header) ? Number(header) : 0;
}

async function* written(items: AsyncIterable<FeedItem>): AsyncGenerator<string> {
  yield `retry: ${RETRY_MS}\n\n`;
  for await (const item of items) yield textOf(item);
}

function textOf(item: FeedItem): string {
  switch (item.kind) {
    case 'job': {
      const { type, status, atMs, version } = item;
      const data: JobEventBody = { type, status, at: seconds(atMs) };
      return `id: ${version}\n${eventText('job', data)}`;
    }
    case 'progress':
      return eventText('progress', progressBody(item.report));
    case 'silence':
      return ':\n\n';
    case 'end': {
      const data: EndEventBody = { status: item.status };
      return eventText('end', data);
    }
  }
}

function eventText(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

function progressBody(
  report: Extract<FeedItem, { kind: 'progress' }>['report'],
): ProgressEventBody {
  const { state, status, counts, phases, reasons } = report;
  const total = 'plan' in state ? state.plan.chunkCount : null;
  return { status, counts, chunks: { total, by_phase: phases, waiting_for: reasons } };
}
