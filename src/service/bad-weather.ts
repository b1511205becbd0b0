/**
 * Weather that a stage did not decide about itself: its step waits, or the job is held. A provider
 * that asks for time gets it from the whole queue, and what lasts is told.
 */

import { Weather } from '../domain/errors.ts';
import { afterWeather, LASTING_WEATHER_MS } from '../domain/retry.ts';
import type { Bell, QueueName } from '../ports/work-queue.ts';
import type { StageAnswer, Tools } from '../stages/tools.ts';
import { later, RATE_LIMIT } from '../stages/tools.ts';

type WeatherTools = Pick<Tools, 'clock' | 'notices' | 'policy' | 'watch'>;

export class BadWeather {
  readonly #tools: WeatherTools;
  /** Until when the provider asked to be left alone. */
  readonly #askedUntilMs = new Map<QueueName, number>();

  constructor(tools: WeatherTools) {
    this.#tools = tools;
  }

  /** Does the stage unless its queue pauses; rejects with what is no weather. */
  async during(bell: Bell, stage: () => Promise<StageAnswer>): Promise<StageAnswer> {
    const { watch, clock } = this.#tools;
    const key = `weather ${bell.job} ${bell.chunk ?? 'job'} ${bell.version}`;
    const lastingKey = `${key} lasting`;
    const nowMs = clock.monotonicMs();
    const restMs = (this.#askedUntilMs.get(bell.queue) ?? nowMs) - nowMs;
    if (restMs > 0) return later(restMs, RATE_LIMIT);
    this.#askedUntilMs.delete(bell.queue);
    try {
      const answer = await stage();
      watch.forget(key);
      watch.forget(lastingKey);
      return answer;
    } catch (error) {
      if (!(error instanceof Weather)) throw error;
      const failures = watch.see(key).times - 1;
      return this.#after(bell, error, failures, lastingKey);
    }
  }

  /** The whole queue, not only this bell. Nobody calls meanwhile: a long wait is told at once. */
  pause({ queue, job, chunk }: Bell, ms: number): void {
    this.#askedUntilMs.set(queue, this.#tools.clock.monotonicMs() + ms);
    if (ms < LASTING_WEATHER_MS) return;
    const message = `The provider asks to be left alone for ${Math.round(ms / 60_000)} minutes.`;
    this.#alert(message, { job, chunk });
  }

  #after(bell: Bell, error: Weather, failures: number, lastingKey: string): StageAnswer {
    const response = afterWeather(error, failures, this.#tools.policy.retry);
    if (response.kind === 'hold') return response;
    this.#alertWhenLasting(lastingKey, bell, error);
    if (error.retryAfterMs !== null) this.pause(bell, error.retryAfterMs);
    const reason = error.status === 429 ? RATE_LIMIT : 'the provider cannot be reached';
    return later(response.delayMs, reason);
  }

  /** Once for each stretch of bad weather that lasts; the key says where. */
  #alertWhenLasting(key: string, bell: Bell, { message }: Weather): void {
    const { elapsedMs } = this.#tools.watch.see(key);
    if (elapsedMs < LASTING_WEATHER_MS) return;
    this.#tools.watch.forget(key);
    this.#alert(message, bell);
  }

  #alert(message: string, { job, chunk }: Pick<Bell, 'job' | 'chunk'>): void {
    const code = 'provider_unreachable';
    this.#tools.notices.tell({ level: 'alert', code, message, job, chunk });
  }
}
