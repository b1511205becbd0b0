/** `result` against a service: fetched over as many connections as it takes, and checked. */

import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Refusal } from '../../domain/errors.ts';
import type { JobBody } from '../../http/contract/job-shapes.ts';
import { getManifest, getResult } from '../../http/contract/results.ts';
import { holdsResult, manifestPath, sync } from '../deliver.ts';
import type { ExitCode } from '../exit.ts';
import { EXIT } from '../exit.ts';
import type { Terminal } from '../terminal.ts';
import { toFile, toStdout } from '../write-out.ts';
import type { ServiceClient } from './client.ts';
import { sayEnd } from './end.ts';
import { findJob } from './find-job.ts';
import { followResult } from './follow-result.ts';
import { readText, StrangeAnswer } from './problems.ts';
import { linesFrom, QUIET_MS } from './result-bytes.ts';
import { showing } from './transfer.ts';

/** Which lines of the result are wanted; nothing: all of them, when it is complete. */
export interface ResultWish {
  readonly ok?: boolean;
  readonly failed?: boolean;
  readonly partial?: boolean;
  readonly follow?: boolean;
}

const MAX_MANIFEST_BYTES = 1_000_000_000;

/** Fetches to the path, or to standard output where that is null. Refuses what is not there yet. */
export async function remoteResult(
  text: string,
  wish: ResultWish,
  path: string | null,
  service: ServiceClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const job = await findJob(text, service);
  if (wish.follow === true) {
    await write(followResult(job.id, service), path);
    const end = await findJob(job.id, service);
    return end.refusal === null ? EXIT.ok : sayEnd(end, terminal);
  }
  if (wish.partial === true) {
    await write(await partOf(job, service), path);
    return EXIT.ok;
  }
  const { result } = job;
  if (result === null) throw unfinished(job, terminal);
  if (wish.ok === true || wish.failed === true) {
    const query = { include: wish.ok === true ? 'ok' : 'failed' };
    await write(linesFrom(job.id, query, 0, service), path);
    return EXIT.ok;
  }
  if (path === null) await toStdout(verified(linesFrom(job.id, {}, 0, service), result.sha256));
  else await fetchWhole(job.id, result, path, service, terminal);
  return EXIT.ok;
}

async function partOf({ id }: JobBody, service: ServiceClient): Promise<AsyncIterable<Buffer>> {
  const input = { params: { job: id }, query: { partial: 1 }, quietMs: QUIET_MS };
  return (await service.open(getResult, input)).blocks;
}

async function write(blocks: AsyncIterable<Buffer>, path: string | null): Promise<void> {
  await (path === null ? toStdout(blocks) : toFile(blocks, path));
}

/**
 * Both files, as a command on the data directory delivers them. What was fetched stays beside the
 * path under a name of its content, so that the same command goes on with it another time.
 */
async function fetchWhole(
  job: string,
  { size_bytes: sizeBytes, sha256 }: NonNullable<JobBody['result']>,
  path: string,
  service: ServiceClient,
  terminal: Terminal,
): Promise<void> {
  const manifest = await service.open(getManifest, { params: { job }, quietMs: QUIET_MS });
  const text = await readText(manifest, MAX_MANIFEST_BYTES);
  if (!(await holdsResult(path, { sizeBytes, sha256 }))) {
    const unfinishedPath = `${path}.${sha256.slice(0, 12)}.partial`;
    const hash = createHash('sha256');
    const doneBytes = await hashBegun(unfinishedPath, sizeBytes, hash);
    const transfer = { verb: 'fetching', doneBytes, totalBytes: sizeBytes };
    const blocks =
      doneBytes < sizeBytes
        ? showing(hashing(linesFrom(job, {}, doneBytes, service), hash), transfer, terminal)
        : [];
    await pipeline(blocks, createWriteStream(unfinishedPath, { flags: 'a', flush: true }));
    if (hash.digest('hex') !== sha256) {
      await rm(unfinishedPath, { force: true });
      throw damaged();
    }
    await rename(unfinishedPath, path);
    await sync(dirname(path));
  }
  await toFile(asBlocks(text), manifestPath(path));
  terminal.say(`${terminal.style('green', '✔')} ${path}`);
}

/** How much is there already, and hashed; what is longer than the result is none of it. */
async function hashBegun(path: string, sizeBytes: number, hash: Hash): Promise<number> {
  const found = await stat(path).catch(() => null);
  if (found === null) return 0;
  if (found.size > sizeBytes) {
    await rm(path);
    return 0;
  }
  for await (const block of createReadStream(path) as AsyncIterable<Buffer>) hash.update(block);
  return found.size;
}

async function* hashing(blocks: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const block of blocks) {
    hash.update(block);
    yield block;
  }
}

async function* verified(blocks: AsyncIterable<Buffer>, sha256: string): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  yield* hashing(blocks, hash);
  if (hash.digest('hex') !== sha256) throw damaged();
}

async function* asBlocks(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

function damaged(): StrangeAnswer {
  return new StrangeAnswer(
    'what came is not the result whose sha256 the service states: try again',
  );
}

function unfinished({ id, status }: JobBody, terminal: Terminal): Refusal {
  if (status === 'failed') {
    return new Refusal('not_finished', `${id} has no result: nothing of it was sent.`);
  }
  const ways = [
    terminal.command('watch', id),
    terminal.command('result', id, '--partial'),
    terminal.command('result', id, '--follow'),
  ];
  const lines = ways.map((way) => `  ${way}`).join('\n');
  return new Refusal('not_finished', `${id} has no result yet: it is ${status}.\n${lines}`);
}
