import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { WeatherKind } from '../../../src/domain/errors.ts';
import type { SimulatorOptions } from '../../../src/simulator/options.ts';
import { startSimulator } from '../../../src/simulator/simulator.ts';
import { createInput, providerAt, scratchFolder, weatherAfter } from './stage.ts';

type Fault = NonNullable<SimulatorOptions['faults']>[number];

const REQUEST =
  '{"custom_id":"a","method":"POST","url":"/v1/embeddings",' +
  '"body":{"model":"text-embedding-3-small","input":"x"}}\n';

/** What a create under the fault ends in, and how many batches there are after it. */
async function createUnder(name: Fault['name']): Promise<{ kind: WeatherKind; batches: number }> {
  const simulator = await startSimulator({ clock: 'manual' });
  onTestFinished(() => simulator.close());
  const provider = providerAt(simulator.url);
  const localPath = path.join(scratchFolder(), 'requests.jsonl');
  writeFileSync(localPath, REQUEST);
  const ranges = [{ start: 0, end: REQUEST.length }];
  const input = { localPath, ranges, filename: 'a.jsonl', expiresAfterSeconds: 3_600 };
  const { id: inputFileId } = await provider.upload(input);
  simulator.controls.setFault({ name });
  const isSilent = name === 'create_timeout_after_work' || name === 'create_hang';
  const weather = await weatherAfter(
    provider.createBatch(createInput({ inputFileId, timeoutMs: isSilent ? 1_500 : 20_000 })),
  );
  return { kind: weather.kind, batches: simulator.controls.batches().length };
}

test.each<Fault['name']>([
  'create_timeout_after_work',
  'create_reset_after_work',
  'create_500_after_work',
  'create_html_502_after_work',
  'create_409_after_work',
  'create_truncated_200_after_work',
])('under %s there is one batch, and its outcome is called unknown', async (name) => {
  expect(await createUnder(name)).toEqual({ kind: 'unknown', batches: 1 });
});

test.each<[Fault['name'], WeatherKind]>([
  ['create_rate_limit_429', 'transient'],
  ['create_insufficient_quota', 'transient'],
  ['create_unauthorized_401', 'permanent'],
  ['create_server_error_500', 'unknown'],
  ['create_html_502', 'unknown'],
  ['create_409', 'unknown'],
  ['create_reset', 'unknown'],
  ['create_hang', 'unknown'],
])('under %s there is no batch, and its outcome is called %s', async (name, kind) => {
  expect(await createUnder(name)).toEqual({ kind, batches: 0 });
});
