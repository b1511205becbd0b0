/**
 * Jobs of other accounts in the same store. A process works only for the provider, organisation
 * and project of its own settings; everybody else's jobs are their own processes' to do. Where
 * none of those is left (somebody has changed a setting, say), such jobs would stand still and
 * nobody would be told: so each account shows in the store that somebody works for it.
 */

import { createHash } from 'node:crypto';
import type { JobId } from '../domain/ids.ts';
import type { JobState, ProviderIdentity } from '../domain/job.ts';
import { accountName } from '../stages/names.ts';
import type { Tools } from '../stages/tools.ts';

/** A mark is renewed by the first sweep after this time: each write costs a flush. */
const RENEW_MS = 60_000;

/** A mark that nobody renews for this time, and for two beats of theirs, is nobody's any more. */
const SILENCE_MS = 5 * 60_000;

/** An alert that lasts is told again. */
const REMINDER_MS = 60 * 60_000;

/** What a process leaves. */
interface Mark {
  readonly by: string;
  readonly beat: number;
  /** Since its last beat; 0 at the first one. */
  readonly everyMs: number;
}

interface Heard {
  readonly text: string;
  readonly sinceMs: number;
}

export class Neighbours {
  readonly #tools: Pick<Tools, 'blobs' | 'clock' | 'ids' | 'notices'>;
  readonly #own: ProviderIdentity;
  readonly #heard = new Map<string, Heard>();
  readonly #toldMs = new Map<JobId, number>();
  #name: string | null = null;
  #beat = 0;
  #shownMs: number | null = null;

  constructor(tools: Pick<Tools, 'blobs' | 'clock' | 'ids' | 'notices'>, own: ProviderIdentity) {
    this.#tools = tools;
    this.#own = own;
  }

  /** Shows the processes of other accounts that somebody works for this one. */
  async show(): Promise<void> {
    const nowMs = this.#tools.clock.monotonicMs();
    if (this.#shownMs !== null && nowMs - this.#shownMs < RENEW_MS) return;
    this.#name ??= this.#tools.ids.nonce();
    this.#beat += 1;
    const everyMs = Math.round(nowMs - (this.#shownMs ?? nowMs));
    this.#shownMs = nowMs;
    const mark: Mark = { by: this.#name, beat: this.#beat, everyMs };
    await this.#tools.blobs.put(markName(this.#own), Buffer.from(JSON.stringify(mark)));
  }

  isOurs({ spec }: JobState): boolean {
    return markName(spec.provider) === markName(this.#own);
  }

  /** An open job of another account: tells of it where nobody has worked for that one lately. */
  async look({ spec, intent }: JobState): Promise<void> {
    // Its owner wants it to stand still.
    if (intent.kind === 'hold') return;
    const nowMs = this.#tools.clock.monotonicMs();
    const toldMs = this.#toldMs.get(spec.id);
    if (toldMs !== undefined && nowMs - toldMs < REMINDER_MS) return;
    if (await this.#works(spec.provider, nowMs)) return;
    this.#toldMs.set(spec.id, nowMs);
    this.#tools.notices.tell({
      level: 'alert',
      code: 'job_idle',
      message:
        `The job belongs to ${wordsOf(spec.provider)}, and no process with these settings ` +
        'works here. Start one with them: it goes on, or can be cancelled, there.',
      job: spec.id,
      chunk: null,
    });
  }

  /** The first look at a mark says nothing yet: it may be old. */
  async #works(account: ProviderIdentity, nowMs: number): Promise<boolean> {
    const name = markName(account);
    const text = String((await this.#tools.blobs.get(name)) ?? '');
    const heard = this.#heard.get(name);
    if (heard?.text !== text) {
      this.#heard.set(name, { text, sinceMs: nowMs });
      return true;
    }
    return nowMs - heard.sinceMs < Math.max(SILENCE_MS, 2 * everyMsOf(text));
  }
}

function markName({ baseUrl, organization, project }: ProviderIdentity): string {
  const identity = JSON.stringify([baseUrl, organization, project]);
  return accountName(createHash('sha256').update(identity).digest('hex').slice(0, 16));
}

function wordsOf({ baseUrl, organization, project }: ProviderIdentity): string {
  const parts = [
    baseUrl,
    ...(organization === null ? [] : [`organisation ${organization}`]),
    ...(project === null ? [] : [`project ${project}`]),
  ];
  return parts.join(', ');
}

/** 0 where there is no mark, or one that cannot be read. */
function everyMsOf(text: string): number {
  try {
    const { everyMs } = JSON.parse(text) as Partial<Mark>;
    return Number.isFinite(everyMs) ? (everyMs ?? 0) : 0;
  } catch {
    return 0;
  }
}
