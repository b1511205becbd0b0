/** Judges an operator's Redis: what makes it unfit, and what makes it risky. */

import type { Redis } from 'ioredis';

export interface RedisReport {
  /** No problems; there may be warnings. */
  readonly ok: boolean;
  /** Sentences: the server must not be used so. */
  readonly problems: readonly string[];
  /** Sentences: it can be used. */
  readonly warnings: readonly string[];
}

/** Asks the server with INFO; rejects where the connection fails. */
export async function inspectRedis(redis: Redis): Promise<RedisReport> {
  let info: string;
  try {
    info = await redis.info();
  } catch (error) {
    if (!isReplyError(error)) throw error;
    const reason = (error as Error).message;
    // BullMQ's workers ask for the version at their start and never start without it.
    return report([`Redis forbids INFO, which is needed (${reason}): allow it for this user.`], []);
  }
  return judgeInfo(info);
}

/** The judgement over the text that INFO answers. */
export function judgeInfo(info: string): RedisReport {
  const facts = new Map(info.split(/\r?\n/).map(factOf));
  const problems: string[] = [];
  const warnings: string[] = [];
  const policy = facts.get('maxmemory_policy');
  if (policy === undefined) {
    warnings.push('Redis does not say its maxmemory-policy: make sure that it is noeviction.');
  } else if (policy !== 'noeviction') {
    problems.push(
      `Redis has maxmemory-policy ${policy} and may drop queue entries: set it to noeviction.`,
    );
  }
  if (facts.get('aof_enabled') === '0') {
    warnings.push(
      'Redis keeps no append-only file: after its restart live progress is rebuilt from the ' +
        'journal, which takes a moment; set appendonly yes.',
    );
  }
  return report(problems, warnings);
}

function factOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(':');
  return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1)];
}

function isReplyError(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

function report(problems: readonly string[], warnings: readonly string[]): RedisReport {
  return { ok: problems.length === 0, problems, warnings };
}
