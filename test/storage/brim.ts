/** A small real file system that is filled to the brim at a random moment of a run, and freed. */

import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { problemsOf } from '../crash/judge.ts';
import { Draws } from '../crash/worlds.ts';
import type { Running } from '../support/program.ts';
import { plotOf, undisturbed } from './cases.ts';
import { sail } from './voyage.ts';

/** Above what a run asks for beforehand (its floor), and quickly filled. */
const DISK_BYTES = 32_000_000;

const BLOCK = Buffer.alloc(256 * 1024, 'x');

/** After the job is known: what follows takes about a second. */
const LATEST_MS = 1_000;

/** How long the disk stays full. */
const FULL_MS = 1_500;

const FELT = /is full:|no room left|ENOSPC|left; the job may need/;

const runFile = promisify(execFile);

/** Null where this machine mounts a file system for us; else what it says. */
export async function whyNoDisk(): Promise<string | null> {
  if (process.platform !== 'linux') return `${process.platform} has no tmpfs`;
  try {
    const disk = await mountDisk();
    await disk.remove();
    return null;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[1] ?? error.message) : String(error);
  }
}

export interface Filled {
  /** What is wrong with the run; empty where all is well. */
  readonly problems: readonly string[];
  /** Whether the run noticed: it may have been over, or have had nothing to write. */
  readonly isFelt: boolean;
}

/** A run whose disk is full for a while. */
export async function fillToTheBrim(seed: number, fill: number): Promise<Filled> {
  const { expected } = await undisturbed(seed, 'journey');
  const disk = await mountDisk();
  try {
    const afterMs = new Draws(seed).whole(`brim ${fill}`, 0, LATEST_MS);
    const travelled = await sail(plotOf({ seed, scenario: 'journey' }), {
      seed,
      strike: null,
      isRecorded: false,
      dataDir: join(disk.path, 'data'),
      disturb: (running) => fillFor(disk.path, afterMs, running),
    });
    try {
      const problems = await problemsOf(travelled, expected);
      return {
        problems: problems.map((one) => `full ${afterMs} ms after the job's name: ${one}`),
        isFelt: travelled.said.some((words) => FELT.test(words)),
      };
    } finally {
      await travelled.close();
    }
  } finally {
    await disk.remove();
  }
}

interface Disk {
  readonly path: string;
  remove(): Promise<void>;
}

async function mountDisk(): Promise<Disk> {
  const path = await mkdtemp(join(tmpdir(), 'bw-brim-'));
  try {
    await runFile('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', path]);
  } catch (error) {
    await rmdir(path);
    throw error;
  }
  return {
    path,
    remove: async () => {
      await runFile('umount', ['--lazy', path]);
      await rmdir(path);
    },
  };
}

/** Fills what is free while the program runs, keeps it full for a while, and frees it. */
async function fillFor(folder: string, afterMs: number, running: Running): Promise<void> {
  await running.says(/job_/).catch(() => undefined);
  const isOver = await Promise.race([running.ended.then(() => true), sleep(afterMs)]);
  if (isOver === true) return;
  const filler = join(folder, 'filler');
  const stop = performance.now() + FULL_MS;
  // What others delete in the meantime is filled again.
  while (performance.now() < stop) {
    await fillUp(filler);
    await sleep(20);
  }
  await rm(filler);
}

async function fillUp(path: string): Promise<void> {
  const file = await open(path, 'a');
  try {
    for (const block of [BLOCK, BLOCK.subarray(0, 4096), BLOCK.subarray(0, 1)]) {
      while ((await file.write(block).catch(() => null)) !== null);
    }
  } finally {
    await file.close();
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
