/** `status` and `list` against a service: what they say is what they say of a data directory. */

import type { z } from 'zod';
import type { ChunkBody, JobBody } from '../../http/contract/job-shapes.ts';
import { chunkList } from '../../http/contract/job-shapes.ts';
import { listChunks } from '../../http/contract/jobs.ts';
import type { Terminal } from '../terminal.ts';
import { grouped, plural } from '../terminal.ts';
import type { ServiceClient } from './client.ts';
import { eachJob, findJob } from './find-job.ts';

const PAGE_CHUNKS = 1_000;

/** Says how a job of the service stands; with --json, as the service says it. */
export async function remoteStatus(
  text: string,
  withChunks: boolean,
  service: ServiceClient,
  terminal: Terminal,
): Promise<void> {
  const job = await findJob(text, service);
  if (!terminal.json) {
    sayJob(job, terminal);
    if (withChunks) for await (const chunk of eachChunk(job.id, service)) sayChunk(chunk, terminal);
    for (const alert of job.alerts) sayAlert(alert, terminal);
    return;
  }
  if (!withChunks) return terminal.data(JSON.stringify(job));
  const chunks: ChunkBody[] = [];
  for await (const chunk of eachChunk(job.id, service)) chunks.push(chunk);
  terminal.data(JSON.stringify({ ...job, chunk_list: chunks }));
}

/** One line for each job, the newest first. */
export async function remoteList(service: ServiceClient, terminal: Terminal): Promise<void> {
  let count = 0;
  for await (const job of eachJob(service)) {
    terminal.data(terminal.json ? JSON.stringify(job) : asLine(job));
    count += 1;
  }
  if (count === 0) terminal.say(`No jobs at ${service.base}.`);
}

async function* eachChunk(job: string, service: ServiceClient): AsyncGenerator<ChunkBody> {
  let after: string | undefined;
  for (;;) {
    const input = { params: { job }, query: { limit: PAGE_CHUNKS, after } };
    const page: z.output<typeof chunkList> = await service.call(listChunks, chunkList, input);
    yield* page.data;
    if (!page.has_more || page.next === null) return;
    after = page.next;
  }
}

function sayJob(job: JobBody, terminal: Terminal): void {
  const { counts, chunks } = job;
  terminal.data(`${job.id}  ${job.status}  ${job.name}`);
  if (job.paused !== null) terminal.data(`  paused: ${job.paused.message}`);
  if (job.refusal !== null) return sayRefusal(job.refusal, terminal);
  if (chunks.total === null) return;
  const failed = counts.failed + counts.rejected;
  const done = counts.total - counts.pending;
  const lines = `${grouped(done)} / ${plural(counts.total, 'line')}, ${grouped(failed)} failed`;
  terminal.data(`  ${lines}`);
  const phases = Object.entries(chunks.by_phase).map(([phase, count]) => `${phase} ${count}`);
  terminal.data(`  ${plural(chunks.total, 'chunk')}: ${phases.join(' · ')}`);
  for (const [reason, count] of Object.entries(chunks.waiting_for)) {
    terminal.data(`  ${plural(count, 'chunk')} waiting: ${reason}`);
  }
}

function sayRefusal(refusal: NonNullable<JobBody['refusal']>, terminal: Terminal): void {
  terminal.data(`  ${refusal.message}`);
  for (const { line, message } of refusal.errors) terminal.data(`  line ${line}: ${message}`);
  const more = refusal.errors_total - refusal.errors.length;
  if (more > 0) terminal.data(`  … and ${plural(more, 'more line')}`);
}

function sayChunk(chunk: ChunkBody, terminal: Terminal): void {
  terminal.data(
    `  ${chunk.id}  ${chunk.status.padEnd(11)}  ${grouped(chunk.requests).padStart(8)}` +
      `  attempts ${chunk.attempts}  lines ${grouped(chunk.first_line)}–` +
      grouped(chunk.last_line),
  );
}

function sayAlert(
  { code, message, chunk, at, todo }: JobBody['alerts'][number],
  terminal: Terminal,
) {
  const when = new Date(at * 1000).toISOString().slice(0, 16).replace('T', ' ');
  const about = chunk === null ? '' : `${chunk}: `;
  terminal.data(`  ${terminal.style('red', '▲')} ${code}, ${when}: ${about}${message}`);
  terminal.data(`    ${todo}`);
}

function asLine({ id, created_at: at, status, counts, name, alerts }: JobBody): string {
  const made = new Date(at * 1000).toISOString().slice(0, 19).replace('T', ' ');
  const lines = counts.total === 0 ? '–' : grouped(counts.total);
  const mark = alerts.length > 0 ? `  ▲ ${plural(alerts.length, 'alert')}` : '';
  return `${id}  ${made}  ${status.padEnd(21)}  ${lines.padStart(10)}  ${name}${mark}`;
}
