import { expect, it } from 'vitest';
import type { ServerEvent } from '../../../src/cli/remote/server-events.ts';
import { readEvents } from '../../../src/cli/remote/server-events.ts';

async function eventsIn(text: string, blockBytes: number) {
  const bytes = Buffer.from(text);
  async function* blocks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += blockBytes) {
      yield bytes.subarray(at, at + blockBytes);
    }
  }
  const events: ServerEvent[] = [];
  for await (const event of readEvents(blocks())) events.push(event);
  return events;
}

const TEXT =
  'retry: 2000\n\n:\n\nid: 7\nevent: job\ndata: {"type":"é 🙂"}\n\n: beat\n\n' +
  'event: progress\r\ndata: {"a":\r\ndata: 1}\r\n\r\nevent: end\ndata: {}\n\nevent: cut\ndata: {';

it('reads events however their bytes come, and leaves heartbeats and a cut one out', async () => {
  for (const blockBytes of [1, 2, 3, 7, 1_000]) {
    expect(await eventsIn(TEXT, blockBytes)).toEqual([
      { id: '7', event: 'job', data: '{"type":"é 🙂"}' },
      { id: null, event: 'progress', data: '{"a":\n1}' },
      { id: null, event: 'end', data: '{}' },
    ]);
  }
});

it('refuses an event without an end', async () => {
  await expect(eventsIn(`data: ${'x'.repeat(1_100_000)}`, 65_536)).rejects.toThrow(
    'without an end',
  );
});
