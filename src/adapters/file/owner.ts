/**
 * Owner marks: they stand in the names of unfinished files and scratch folders and tell whether
 * the process that made them is still there.
 *
 * A mark is `<host>-<pid>-<start>`: eight hex digits of the host name's hash, the process id, and
 * its start in the kernel's ticks (0 where the system does not say), so that a pid that is used
 * again, as pid 1 of a restarted container is, does not pass for its predecessor. Processes that
 * share a folder must share a pid namespace or have host names of their own.
 */

import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

const MARK = /\.([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{16}$/;

/** A new name of this process's own: `<label>.<mark>-<64 random bits>`. */
export function ownedName(label: string): string {
  return `${label}.${ownMark()}-${randomBytes(8).toString('hex')}`;
}

/** Whether ownedName made the name. */
export function isOwnedName(name: string): boolean {
  return MARK.test(name);
}

/**
 * Whether the maker of the named thing is gone: at once where it ran on this host and is dead,
 * after `foreignAgeMs` without a change where it ran on another host, which nobody here can ask.
 */
export function isAbandoned(name: string, unchangedMs: number, foreignAgeMs: number): boolean {
  const [, host, pid, start] = MARK.exec(name) ?? [];
  if (host === undefined || pid === undefined || start === undefined) return false;
  if (host !== hostMark()) return unchangedMs > foreignAgeMs;
  return !isAlive(Number(pid), start);
}

function ownMark(): string {
  return `${hostMark()}-${process.pid}-${startOf(process.pid) ?? '0'}`;
}

function hostMark(): string {
  return createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
}

function isAlive(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = startOf(pid);
  return start === '0' || now === null || now === start;
}

/** Ticks from the boot to the start of the process; null where /proc does not say. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in parentheses and may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[19] ?? null;
  } catch {
    return null;
  }
}
