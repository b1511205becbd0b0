/** A simulator in a process of its own: tells its URL, and on any message its peak memory. */

import { startSimulator } from '../../../src/simulator/simulator.ts';

const simulator = await startSimulator({ timeFactor: 1_000_000 });
process.on('message', () => process.send?.({ peakKiB: process.resourceUsage().maxRSS }));
process.on('disconnect', () => {
  void simulator.close();
});
process.send?.({ url: simulator.url });
