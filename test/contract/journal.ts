/** What the journal must do over every blob store. */

import { describe, expect, it } from 'vitest';

import type { BlobStore } from '../../src/ports/blob-store.ts';
import type { Count, Counted } from './journal-entries.ts';
import { fill, journalOver, STREAM } from './journal-entries.ts';
import { damage, failing } from './journal-trouble.ts';

/** `open` resolves to a new empty store of the running test's own. */
export function journalContract(title: string, open: () => Promise<BlobStore>): void {
  describe(`the journal over ${title}`, () => {
    describe('appending', () => {
      appending(open);
    });
    describe('racing', () => {
      racing(open);
    });
    describe('a store that fails', () => {
      failing(open);
    });
    describe('damage', () => {
      damage(open);
    });
  });
}

function appending(open: () => Promise<BlobStore>): void {
  it('has nothing in a stream that nobody appended to', async () => {
    const journal = journalOver(await open());
    expect(await journal.load(STREAM)).toBeNull();
    expect(await journal.history(STREAM)).toEqual([]);
  });

  it('loads the last entry and keeps all of them in order', async () => {
    const store = await open();
    const journal = journalOver(store);
    const before = Date.now();
    const appended = await fill(journal, 12);
    const loaded = await journalOver(store).load<Counted, Count>(STREAM);
    expect(loaded).toEqual(appended.at(-1));
    expect(loaded).toMatchObject({ version: 12, event: { type: 'step 12' }, state: { count: 12 } });
    expect(loaded?.atMs).toBeGreaterThanOrEqual(before);
    expect(await journal.history(STREAM)).toEqual(appended);
    expect(new Set(appended.map((entry) => entry.eventId)).size).toBe(12);
  });

  it('keeps streams apart', async () => {
    const journal = journalOver(await open());
    await fill(journal, 2);
    expect(await journal.load(`${STREAM}1`)).toBeNull();
    expect(await journal.load('local/jobs/job_x/journal')).toBeNull();
  });

  it('names the objects by eight digits, one JSON line each', async () => {
    const store = await open();
    await fill(journalOver(store), 2);
    expect(await store.list(STREAM)).toEqual(['00000001.json', '00000002.json']);
    const bytes = await store.get(`${STREAM}/00000002.json`);
    expect(bytes?.toString('utf8')).toMatch(/^\{[^\n]*"count":2[^\n]*\}\n$/);
  });

  it.each([0, -1, 1.5, Number.NaN, 100_000_000])('refuses %d as a version', async (version) => {
    const journal = journalOver(await open());
    await expect(journal.append(STREAM, version, {}, {})).rejects.toThrow('broken invariant');
  });

  it('refuses to leave a gap', async () => {
    const store = await open();
    const journal = journalOver(store);
    await fill(journal, 2);
    await expect(journal.append(STREAM, 4, {}, {})).rejects.toThrow('broken invariant');
    expect(await store.list(STREAM)).toHaveLength(2);
  });
}

function racing(open: () => Promise<BlobStore>): void {
  it('answers a late append with the entry that won, and changes nothing', async () => {
    const store = await open();
    const [winner, loser] = [journalOver(store), journalOver(store)];
    const won = await winner.append(STREAM, 1, { type: 'mine' }, { count: 1 });
    const lost = await loser.append(STREAM, 1, { type: 'theirs' }, { count: 2 });
    expect(won.status).toBe('appended');
    expect(lost).toEqual({ status: 'lost', entry: won.entry });
    expect(await loser.load(STREAM)).toEqual(won.entry);
  });

  it('lets exactly one of 50 concurrent appenders of each version win', async () => {
    const store = await open();
    const journals = Array.from({ length: 50 }, () => journalOver(store));
    for (const version of [1, 2, 3]) {
      const answers = await Promise.all(
        journals.map((journal, count) => journal.append(STREAM, version, { type: 'x' }, { count })),
      );
      const winners = answers.filter(({ status }) => status === 'appended');
      expect(winners).toHaveLength(1);
      for (const { entry } of answers) expect(entry).toEqual(winners[0]?.entry);
    }
    expect(await store.list(STREAM)).toHaveLength(3);
  });
}
