/** Judges an operator's Redis: what makes it unfit, what keeps it from working, what is risky. */

import type { Redis } from 'ioredis';

export interface RedisReport {
  /** No problems and no troubles; there may be warnings. */
  readonly ok: boolean;
  /** Sentences: the server must not be used so. */
  readonly problems: readonly string[];
  /** Sentences: it does not work now; when that is mended, work goes on by itself. */
  readonly troubles: readonly string[];
  /** Sentences: it can be used. */
  readonly warnings: readonly string[];
  readonly memory: MemoryUse | null;
}

export interface MemoryUse {
  readonly usedBytes: number;
  /** Null: no limit but the machine's. */
  readonly limitBytes: number | null;
}

/** Beyond this share of its memory a server is close to refusing writes. */
const HIGH_SHARE = 0.9;

/** Asks the server with INFO; rejects where the connection fails. */
export async function inspectRedis(redis: Redis): Promise<RedisReport> {
  let info: string;
  try {
    info = await redis.info();
  } catch (error) {
    if (!isReplyError(error)) throw error;
    const reason = (error as Error).message;
    // BullMQ's workers ask for the version at their start and never start without it.
    const problem = `Redis forbids INFO, which is needed (${reason}): allow it for this user.`;
    return { ok: false, problems: [problem], troubles: [], warnings: [], memory: null };
  }
  return judgeInfo(info);
}

/** The judgement over the text that INFO answers. */
export function judgeInfo(info: string): RedisReport {
  const facts = new Map(info.split(/\r?\n/).map(factOf));
  const memory = memoryOf(facts);
  const problems = problemsOf(facts);
  const troubles = troublesOf(facts, memory);
  const warnings = warningsOf(facts, memory);
  const ok = problems.length + troubles.length === 0;
  return { ok, problems, troubles, warnings, memory };
}

type Facts = ReadonlyMap<string, string>;

function problemsOf(facts: Facts): string[] {
  const problems: string[] = [];
  const policy = facts.get('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    problems.push(
      `Redis has maxmemory-policy ${policy} and may drop queue entries: set it to noeviction.`,
    );
  }
  if (facts.get('role') === 'slave' && facts.get('slave_read_only') !== '0') {
    problems.push('Redis is a read-only replica: let REDIS_URL name the primary.');
  }
  return problems;
}

function troublesOf(facts: Facts, memory: MemoryUse | null): string[] {
  const troubles: string[] = [];
  if (facts.get('loading') === '1') troubles.push('Redis is loading its data: wait for it.');
  if (shareOf(memory) >= 1) {
    troubles.push('Redis is out of memory: raise its maxmemory or remove other keys.');
  }
  if (facts.get('aof_last_write_status') === 'err') {
    troubles.push('Redis cannot write its append-only file: look at its disk and its log.');
  }
  return troubles;
}

function warningsOf(facts: Facts, memory: MemoryUse | null): string[] {
  const warnings: string[] = [];
  if (!facts.has('maxmemory_policy')) {
    warnings.push('Redis does not say its maxmemory-policy: make sure that it is noeviction.');
  }
  if (facts.get('aof_enabled') === '0') {
    warnings.push(
      'Redis keeps no append-only file: after its restart live progress is rebuilt from the ' +
        'journal, which takes a moment; set appendonly yes.',
    );
  }
  if (facts.get('rdb_last_bgsave_status') === 'err') {
    warnings.push('The last snapshot of Redis failed, after which it may refuse writes.');
  }
  const share = shareOf(memory);
  if (share >= HIGH_SHARE && share < 1) {
    warnings.push(`Redis has used ${Math.floor(share * 100)} % of its maxmemory: raise it.`);
  }
  return warnings;
}

function memoryOf(facts: Facts): MemoryUse | null {
  const usedBytes = Number(facts.get('used_memory') ?? Number.NaN);
  const limit = Number(facts.get('maxmemory') ?? 0);
  if (Number.isNaN(usedBytes)) return null;
  return { usedBytes, limitBytes: limit > 0 ? limit : null };
}

/** 0 where there is no limit. */
function shareOf(memory: MemoryUse | null): number {
  return memory === null || memory.limitBytes === null ? 0 : memory.usedBytes / memory.limitBytes;
}

function factOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(':');
  return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1)];
}

function isReplyError(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}
