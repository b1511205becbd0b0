/** One process of a fleet that is killed and started again, or stopped for a while. */

import { setTimeout as delay } from 'node:timers/promises';

import type { Running } from '../support/program.ts';
import type { MemberName, Strike } from './strikes.ts';

/** A process that is stopped answers nobody. */
const ANSWER_MS = 2_000;

export class Member {
  readonly name: MemberName;
  readonly #start: () => Promise<Running>;
  readonly #said: string[] = [];
  #running: Running | null = null;
  #away: Promise<void> = Promise.resolve();
  #isAway = false;
  #creates = 0;

  constructor(name: MemberName, start: () => Promise<Running>) {
    this.name = name;
    this.#start = start;
  }

  async begin(): Promise<void> {
    this.#running = await this.#start();
  }

  /** Batches that its processes have made, as far as anybody asked before they were killed. */
  get creates(): number {
    return this.#creates;
  }

  /** Killed or stopped, and not back yet. */
  get isAway(): boolean {
    return this.#isAway;
  }

  /** All that its processes said on stderr. */
  said(): string {
    return [...this.#said, this.#running?.stderr() ?? ''].join('');
  }

  /** Resolves when it is hit; it comes back by itself, which `isBack` waits for. */
  async hit({ kind, awayMs }: Strike): Promise<void> {
    const running = this.#running;
    if (running === null || this.#isAway) throw new Error(`${this.name} is away`);
    this.#isAway = true;
    if (kind === 'stop') {
      running.signal('SIGSTOP');
      this.#away = this.#after(awayMs, () => running.signal('SIGCONT'));
      return;
    }
    await running.kill();
    this.#said.push(running.stderr());
    this.#away = this.#after(awayMs, () => this.begin());
    // Whoever waits for it hears of it.
    this.#away.catch(() => undefined);
  }

  isBack(): Promise<void> {
    return this.#away;
  }

  async #after(ms: number, comeBack: () => Promise<void> | void): Promise<void> {
    await delay(ms);
    await comeBack();
    this.#isAway = false;
  }

  /** Adds what the process has counted so far; it is to be killed or to end right after. */
  async count(): Promise<void> {
    const url = /http:\S+(?=\/healthz)/.exec(this.#running?.stderr() ?? '')?.[0];
    if (url === undefined) return;
    const signal = AbortSignal.timeout(ANSWER_MS);
    const text = await fetch(`${url}/metrics`, { signal }).then((response) => response.text());
    const counted = /^batchwright_provider_calls_total\{.*"createBatch".*"ok"\} (\d+)$/m.exec(text);
    this.#creates += Number(counted?.[1] ?? 0);
  }

  /** SIGTERM; resolves to a sentence about what is wrong with its end, null where nothing is. */
  async leave(): Promise<string | null> {
    await this.isBack();
    this.#running?.signal('SIGTERM');
    const ended = await this.#running?.ended;
    return ended?.code === 0 ? null : `${this.name} ended with ${ended?.code}`;
  }
}
