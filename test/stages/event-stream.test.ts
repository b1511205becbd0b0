import { describe, expect, it } from 'vitest';
import { createJournal } from '../../src/adapters/blob/journal.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createIds } from '../../src/adapters/system/ids.ts';
import type { Journal } from '../../src/ports/journal.ts';
import { EventStream } from '../../src/stages/event-stream.ts';
import { MemoryBlobStore } from '../support/memory/blob-store.ts';
import { MemoryFiles } from '../support/memory/local-files.ts';

type Step = { readonly type: 'add'; readonly amount: number } | { readonly type: 'close' };
type Sum = { readonly total: number; readonly closed: boolean };

const NAME = 'streams/sum';
const FRESH: Sum = { total: 0, closed: false };

function fold(state: Sum, event: Step): Sum | null {
  if (state.closed) return null;
  return event.type === 'close'
    ? { ...state, closed: true }
    : { ...state, total: state.total + event.amount };
}

function newJournal(): Journal {
  const clock = createSystemClock();
  return createJournal(
    new MemoryBlobStore(new MemoryFiles(), () => clock.wallMs()),
    createIds(clock),
    clock,
  );
}

function open(journal: Journal): Promise<EventStream<Step, Sum>> {
  return EventStream.open(journal, NAME, fold, FRESH);
}

const add = (amount: number): Step => ({ type: 'add', amount });

describe('a stream under the hand of a step', () => {
  it('begins fresh, and goes on where it was', async () => {
    const journal = newJournal();
    const first = await open(journal);
    expect([first.state, first.version]).toEqual([FRESH, 0]);
    await first.decide(add(3));
    const second = await open(journal);
    expect([second.state.total, second.version]).toEqual([3, 1]);
  });

  it('loses a decision where another event came first, and stays where it was', async () => {
    const journal = newJournal();
    const [winner, loser] = [await open(journal), await open(journal)];
    expect(await winner.decide(add(1))).toBe(true);
    expect(await loser.decide(add(2))).toBe(false);
    expect([loser.state.total, loser.version]).toEqual([0, 0]);
    expect((await open(journal)).state.total).toBe(1);
  });

  it('crashes where a decision does not fit its state', async () => {
    const stream = await open(newJournal());
    await stream.decide({ type: 'close' });
    await expect(stream.decide(add(1))).rejects.toThrow('broken invariant');
  });

  it('brings a fact behind the events of others', async () => {
    const journal = newJournal();
    const [early, late] = [await open(journal), await open(journal)];
    for (let round = 0; round < 5; round += 1) await early.record(add(1));
    expect(await late.record(add(10))).toBe(true);
    expect([late.state.total, late.version]).toEqual([15, 6]);
  });

  it('drops a fact that does not fit any more', async () => {
    const journal = newJournal();
    const [closer, late] = [await open(journal), await open(journal)];
    await closer.record({ type: 'close' });
    expect(await late.record(add(10))).toBe(false);
    expect(await journal.history(NAME)).toHaveLength(1);
  });

  it('records every fact of many that race', async () => {
    const journal = newJournal();
    const streams = await Promise.all(Array.from({ length: 8 }, () => open(journal)));
    const recorded = await Promise.all(streams.map((stream, index) => stream.record(add(index))));
    expect(recorded).toEqual(Array.from({ length: 8 }, () => true));
    expect((await open(journal)).state.total).toBe(28);
  });

  it('gives up loudly where a fact loses without end', async () => {
    const journal = newJournal();
    const rival = await open(journal);
    const outrun: Journal = {
      load: (stream) => journal.load(stream),
      history: (stream) => journal.history(stream),
      append: async (stream, version, event, state) => {
        await rival.record(add(1));
        return journal.append(stream, version, event, state);
      },
    };
    const stream = await open(outrun);
    await expect(stream.record(add(100))).rejects.toThrow('lost 20 races');
  });
});
