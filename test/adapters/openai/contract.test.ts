import { startSimulator } from '../../../src/simulator/simulator.ts';
import { batchProviderContract } from '../../contract/batch-provider.ts';
import { providerAt } from './stage.ts';

const TWO_DAYS_MS = 2 * 86_400_000;

batchProviderContract('for OpenAI, against the simulator', async () => {
  const simulator = await startSimulator({ clock: 'manual', seed: 7 });
  return {
    provider: providerAt(simulator.url),
    letBatchesEnd: () => simulator.controls.advance(TWO_DAYS_MS),
    close: () => simulator.close(),
  };
});
