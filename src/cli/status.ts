/** `batchwright status`: one job in numbers, from the journal alone, or from a service. */

import type { Command } from 'commander';
import type { Store } from '../compose.ts';
import type { Alert } from '../domain/alert.ts';
import { meaningOf } from '../domain/alert.ts';
import type { ChunkState } from '../domain/chunk.ts';
import type { JobState } from '../domain/job.ts';
import { jobStatus } from '../domain/job.ts';
import type { PlannedChunk } from '../domain/plan.ts';
import { expiryOf } from '../service/expiry.ts';
import { isPlanned } from '../service/job-views.ts';
import type { ServiceFlags } from './remote/service.ts';
import { serviceOf, withServiceFlags } from './remote/service.ts';
import { remoteStatus } from './remote/status.ts';
import { terminalOf, withStore } from './settings.ts';
import type { Terminal } from './terminal.ts';
import { grouped, plural } from './terminal.ts';

interface StatusFlags extends ServiceFlags {
  readonly chunks?: boolean;
}

type ShownAlert = Pick<Alert, 'code' | 'message' | 'chunk' | 'atMs'>;

interface ChunkView {
  readonly chunk: PlannedChunk;
  readonly state: ChunkState;
}

export function addStatus(program: Command): void {
  const command = program
    .command('status')
    .description('how a job stands')
    .argument('<job>', 'its id, or the beginning of it')
    .option('--chunks', 'a line for each chunk, with its batch');
  withServiceFlags(command).action(async (text: string, flags: StatusFlags) => {
    const terminal = terminalOf(flags);
    const service = serviceOf(flags);
    if (service !== null) return remoteStatus(text, flags.chunks ?? false, service, terminal);
    await withStore(flags, async (store) => {
      const job = await store.jobs.find(text);
      const chunks = await viewsOf(store, job);
      const alerts = await alertsOf(store, job, chunks);
      if (flags.json === true) terminal.data(JSON.stringify(asJson(job, chunks, alerts)));
      else {
        sayStatus(job, chunks, flags.chunks ?? false, terminal);
        for (const alert of alerts) sayAlert(alert, terminal);
      }
    });
  });
}

async function viewsOf(store: Store, job: JobState): Promise<ChunkView[]> {
  if (!isPlanned(job)) return [];
  const views: ChunkView[] = [];
  for (const chunk of (await store.views.plan(job)).chunks) {
    const { state } = await store.views.chunkStream(job.spec.id, chunk);
    views.push({ chunk, state });
  }
  return views;
}

/** What workers told, and what nobody could tell because no worker ran. */
async function alertsOf(
  store: Store,
  job: JobState,
  views: readonly ChunkView[],
): Promise<readonly ShownAlert[]> {
  const told: readonly ShownAlert[] = await store.alerts.current(job);
  const expiring: ShownAlert[] = [];
  const nowMs = store.clock.wallMs();
  for (const { chunk, state } of views) {
    const isTold = told.some((one) => one.chunk === chunk.id && one.code === 'output_expiring');
    const due = await expiryOf({ job: job.spec, chunk, state }, store.journal, nowMs);
    if (due !== null && !isTold) expiring.push({ ...due, atMs: nowMs });
  }
  return [...told, ...expiring];
}

function sayAlert({ code, message, atMs, chunk }: ShownAlert, terminal: Terminal): void {
  const at = new Date(atMs).toISOString().slice(0, 16).replace('T', ' ');
  const about = chunk === null ? '' : `${chunk}: `;
  terminal.data(`  ${terminal.style('red', '▲')} ${code}, ${at}: ${about}${message}`);
  terminal.data(`    ${meaningOf(code).todo}`);
}

function sayStatus(job: JobState, views: ChunkView[], detailed: boolean, terminal: Terminal): void {
  const { id, name, source } = job.spec;
  terminal.data(`${id}  ${jobStatus(job)}  ${name}`);
  if (job.intent.kind === 'hold') terminal.data(`  paused: ${job.intent.message}`);
  if (job.status === 'refused') terminal.data(`  ${job.refusal.message}`);
  if (!isPlanned(job)) return terminal.data(`  input ${source.location}`);
  const { done, failed, total } = sums(views);
  terminal.data(`  ${grouped(done)} / ${plural(total, 'line')}, ${grouped(failed)} failed`);
  const phases = [...countBy(views)].map(([phase, count]) => `${phase} ${count}`);
  terminal.data(`  ${plural(views.length, 'chunk')}: ${phases.join(' · ')}`);
  if (!detailed) return;
  for (const { chunk, state } of views) {
    terminal.data(
      `  ${chunk.id}  ${state.status.padEnd(10)}  ${grouped(chunk.requests).padStart(8)}` +
        `  attempts ${state.executed}  ${batchOf(state) ?? ''}`.trimEnd(),
    );
  }
}

function asJson(
  job: JobState,
  views: ChunkView[],
  alerts: readonly ShownAlert[],
): Record<string, unknown> {
  return {
    job: job.spec.id,
    name: job.spec.name,
    status: jobStatus(job),
    paused: job.intent.kind === 'hold' ? job.intent : null,
    refusal: job.status === 'refused' ? job.refusal : null,
    result: 'result' in job ? job.result : null,
    alerts: alerts.map(({ code, message, chunk, atMs }) => ({
      code,
      message,
      chunk,
      at_ms: atMs,
      todo: meaningOf(code).todo,
    })),
    ...sums(views),
    chunks: views.map(({ chunk, state }) => ({
      id: chunk.id,
      model: chunk.model,
      status: state.status,
      requests: chunk.requests,
      executed: state.executed,
      tally: state.tally,
      batch: batchOf(state),
    })),
  };
}

function sums(views: readonly ChunkView[]): { total: number; done: number; failed: number } {
  let total = 0;
  let done = 0;
  let failed = 0;
  for (const { chunk, state } of views) {
    total += chunk.requests + chunk.rejected;
    const { succeeded, failed: refused } = state.status === 'settled' ? state.part : state.tally;
    done += succeeded + refused + chunk.rejected;
    failed += refused + chunk.rejected;
  }
  return { total, done, failed };
}

function countBy(views: readonly ChunkView[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { state } of views) counts.set(state.status, (counts.get(state.status) ?? 0) + 1);
  return counts;
}

function batchOf(state: ChunkState): string | null {
  if (state.status === 'submitted') return state.batchId;
  if (state.status === 'ended') return state.batch.batchId;
  return state.collected.at(-1)?.batchId ?? null;
}
