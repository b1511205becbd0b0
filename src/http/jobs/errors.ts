/** What failed of a job: by class, and line by line. */

import type { JobState } from '../../domain/job.ts';
import type { FailedEntry, FailureGroup, ResultViews } from '../../service/result-views.ts';
import type { Mounted } from '../call.ts';
import { mount } from '../call.ts';
import { listErrors } from '../contract/results.ts';
import type { FailuresBody } from '../contract/results.ts';
import type { ScanTurns } from '../scan-turns.ts';
import { noResult } from './result.ts';

const DEFAULT_LINES = 100;
const SAMPLES = 3;

/** Words of a provider may be long. */
const MAX_MESSAGE_CHARACTERS = 2_000;

interface Wish {
  readonly class: string | null;
  readonly after: number;
  readonly limit: number;
}

export interface ErrorParts {
  readonly results: ResultViews;
  readonly scans: ScanTurns;
}

export function errorRoutes({ results, scans }: ErrorParts): Mounted[] {
  return [
    mount(listErrors, async (call) => {
      const { desk, param, query } = call;
      const state = await desk.job(param('job'));
      const wish = {
        class: query.class ?? null,
        after: query.after ?? 0,
        limit: query.limit ?? DEFAULT_LINES,
      };
      const isGrouped = (query.view ?? 'groups') === 'groups';
      const find = isGrouped ? groups : lines;
      const body = await scans.within(call, () => find(state, wish, results));
      return { status: 200, json: body };
    }),
  ];
}

async function groups(state: JobState, wish: Wish, results: ResultViews): Promise<FailuresBody> {
  const found = await groupsOf(state, results);
  const wanted = found.groups.filter((group) => wish.class === null || group.class === wish.class);
  return {
    object: 'failure_groups',
    failed: found.failed,
    groups: wanted.map((group) => ({
      class: group.class,
      retryable: group.retryable,
      count: group.count,
      sample_ids: [...group.sampleIds],
      message: group.message.slice(0, MAX_MESSAGE_CHARACTERS),
    })),
  };
}

async function groupsOf(
  state: JobState,
  results: ResultViews,
): Promise<{ readonly groups: readonly FailureGroup[]; readonly failed: number }> {
  if ('result' in state) return results.groups(state, SAMPLES);
  const byClass = Map.groupBy(rejectedOf(state), (line) => line.class);
  const found = [...byClass].map(([name, [first, ...others]]) => ({
    class: name,
    retryable: false,
    count: 1 + others.length,
    sampleIds: [],
    message: first?.message ?? '',
  }));
  const failed = state.status === 'refused' ? state.refusal.rejectedTotal : 0;
  return { groups: found.toSorted((a, b) => b.count - a.count), failed };
}

async function lines(state: JobState, wish: Wish, results: ResultViews): Promise<FailuresBody> {
  const { failures, next } = await linesOf(state, wish, results);
  return {
    object: 'list',
    data: failures.map((failure) => ({
      object: 'failure',
      line: failure.line,
      custom_id: failure.customId,
      class: failure.class,
      retryable: failure.retryable,
      message: failure.message,
    })),
    has_more: next !== null,
    next: next === null ? null : String(next),
  };
}

async function linesOf(
  state: JobState,
  { class: wanted, after, limit }: Wish,
  results: ResultViews,
) {
  if ('result' in state) {
    const wish = { after, limit, ...(wanted === null ? {} : { class: wanted }) };
    return results.failures(state, wish);
  }
  const left = rejectedOf(state).filter(
    (line) => line.line > after && (wanted === null || line.class === wanted),
  );
  const failures = left.slice(0, limit);
  return { failures, next: left.length > limit ? (failures.at(-1)?.line ?? null) : null };
}

/** The first bad lines of a refused job. Throws where the job is not over. */
function rejectedOf(state: JobState): FailedEntry[] {
  if (state.status !== 'refused') throw noResult(state);
  return state.refusal.rejected.map(({ line, code, message }) => ({
    line,
    customId: null,
    class: code,
    retryable: false,
    message,
  }));
}
