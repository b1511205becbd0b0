import { expect, onTestFinished, test } from 'vitest';

import { startSimulator } from '../../src/simulator/simulator.ts';
import { openPlace } from '../support/command.ts';
import { asInput, mixedLines } from '../support/sets.ts';
import { OwnRedis } from './own-redis.ts';

const PAUSE_SECONDS = 2;

test.each(['upload', 'create'] as const)(
  'a pause that the provider asks for at %s outlives a flush of Redis',
  async (operation) => {
    const redis = await OwnRedis.start();
    onTestFinished(() => redis.close());
    const simulator = await startSimulator({ seed: 3 });
    const place = await openPlace(simulator.url, () => simulator.close());
    await place.writeInput(asInput(mixedLines(1)));
    const { controls } = simulator;
    const name = `${operation}_rate_limit_429` as const;
    controls.setFault({ name, times: 1, retryAfterSeconds: PAUSE_SECONDS });
    const run = place.start(place.runArgs('--yes'), { REDIS_URL: redis.url });
    const isCall = (event: { operation: string }) => event.operation === operation;
    await controls.until('call_ended', (event) => isCall(event) && event.status === 429);
    const startMs = performance.now();
    const after = controls.eventCount();
    await redis.flush();
    await controls.until('call_started', isCall, { after });
    // Retry-After counts whole seconds from the answer, which was on its way a moment ago.
    expect(performance.now() - startMs).toBeGreaterThan((PAUSE_SECONDS - 0.5) * 1_000);
    const { code, stderr } = await run.ended;
    expect(code, stderr).toBe(0);
  },
);
