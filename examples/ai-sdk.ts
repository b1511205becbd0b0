/** Batches of Vercel's AI SDK before a Batchwright service: `npx node examples/ai-sdk.ts`. */

import { setTimeout as sleep } from 'node:timers/promises';
import { createOpenAI } from '@ai-sdk/openai';
import {
  experimental_getBatchResults as getBatchResults,
  experimental_getBatchStatus as getBatchStatus,
  experimental_startBatch as startBatch,
} from 'ai';
import { startOwnService } from './own-service.ts';

const service = await startOwnService();
const provider = createOpenAI({ baseURL: `${service.url}/v1`, apiKey: 'any' });

try {
  const requests = ['card', 'transfer', 'exchange rate'].map((id) => {
    return { id, type: 'text', model: 'gpt-5-nano', prompt: `What is a ${id}?` } as const;
  });
  const batch = await startBatch({ provider, requests });
  let standing = await getBatchStatus({ provider, batch });
  while (standing.status === 'pending') {
    await sleep(200);
    standing = await getBatchStatus({ provider, batch });
  }
  console.log(`${batch.id} is ${standing.status}:`, standing.requestCounts);
  for await (const answer of getBatchResults({ provider, batch })) {
    console.log(answer.id, answer.status);
  }
} finally {
  await service.close();
}
