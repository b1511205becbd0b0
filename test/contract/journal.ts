/** What the journal must do over every blob store. */

import { describe, expect, it } from 'vitest';

import { createJournal } from '../../src/adapters/blob/journal.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createIds } from '../../src/adapters/system/ids.ts';
import type { BlobStore } from '../../src/ports/blob-store.ts';
import type { Journal } from '../../src/ports/journal.ts';

interface Counted {
  readonly type: string;
}
interface Count {
  readonly count: number;
}

const STREAM = 'local/jobs/job_x/journal/c000000';

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

function failing(open: () => Promise<BlobStore>): void {
  it('knows its own entry where the store wrote and then reported a failure', async () => {
    const store = await open();
    const journal = journalOver(breaking(store, 'after'));
    const answer = await journal.append(STREAM, 1, { type: 'x' }, { count: 1 });
    expect(answer.status).toBe('appended');
    expect(await journalOver(store).load(STREAM)).toEqual(answer.entry);
  });

  it('knows its own entry where the store says that it exists already', async () => {
    const store = await open();
    const journal = journalOver(breaking(store, 'says exists'));
    const answer = await journal.append(STREAM, 1, { type: 'x' }, { count: 1 });
    expect(answer.status).toBe('appended');
  });

  it('has lost where the store failed and another entry is there', async () => {
    const store = await open();
    const other = await journalOver(store).append(STREAM, 1, { type: 'other' }, { count: 1 });
    const answer = await journalOver(breaking(store, 'before')).append(STREAM, 1, {}, {});
    expect(answer).toEqual({ status: 'lost', entry: other.entry });
  });

  it('rejects where the store failed and wrote nothing, and can append then', async () => {
    const store = await open();
    const broken = journalOver(breaking(store, 'before'));
    await expect(broken.append(STREAM, 1, {}, {})).rejects.toMatchObject({ code: 'ENOSPC' });
    expect((await journalOver(store).append(STREAM, 1, {}, {})).status).toBe('appended');
  });

  it('rejects where the outcome cannot be read back', async () => {
    const store = breaking(await open(), 'after');
    const unreadable: BlobStore = proxied(store, { get: () => Promise.reject(new Error('EIO')) });
    const append = journalOver(unreadable).append(STREAM, 1, {}, {});
    await expect(append).rejects.toThrow(/no space.*EIO/);
  });

  it('rejects where the store says that an entry exists which it does not have', async () => {
    const store = proxied(await open(), { putIfAbsent: async () => 'exists' });
    await expect(journalOver(store).append(STREAM, 1, {}, {})).rejects.toThrow('00000001.json');
  });

  it('loads nothing where the stream is pruned between two of its calls', async () => {
    const store = await open();
    await fill(journalOver(store), 2);
    const pruned = proxied(store, {
      get: async () => {
        await store.deleteFolder(STREAM);
        return null;
      },
    });
    expect(await journalOver(pruned).load(STREAM)).toBeNull();
  });
}

function damage(open: () => Promise<BlobStore>): void {
  it.each([
    ['is empty', '', /00000002\.json is unreadable: it is empty/],
    ['is cut short', '{"eventId":"abc","vers', /00000002\.json is unreadable: it is not JSON/],
    ['is no entry', '{"version":2}', /00000002\.json is unreadable: it is not an entry/],
    ['is null', 'null', /00000002\.json is unreadable: it is not an entry/],
    [
      'says another version',
      '{"eventId":"a","version":3,"atMs":1,"writer":"w","event":{},"state":{}}',
      /00000002\.json is unreadable: it says version 3/,
    ],
  ])('names the object whose content %s', async (_, content, message) => {
    const store = await open();
    const journal = journalOver(store);
    await fill(journal, 1);
    await store.put(`${STREAM}/00000002.json`, Buffer.from(content));
    await expect(journal.load(STREAM)).rejects.toThrow(message);
    await expect(journal.history(STREAM)).rejects.toThrow(message);
    await expect(journal.append(STREAM, 2, {}, {})).rejects.toThrow(message);
  });

  it('refuses a stream in which a version is missing', async () => {
    const store = await open();
    const journal = journalOver(store);
    await fill(journal, 3);
    await store.delete(`${STREAM}/00000002.json`);
    await expect(journal.load(STREAM)).rejects.toThrow('broken invariant');
    await expect(journal.history(STREAM)).rejects.toThrow('broken invariant');
  });
}

function journalOver(store: BlobStore): Journal {
  const clock = createSystemClock();
  return createJournal(store, createIds(clock), clock);
}

/** Appends versions 1 to `count`. */
async function fill(journal: Journal, count: number) {
  const entries = [];
  for (let version = 1; version <= count; version += 1) {
    const event: Counted = { type: `step ${version}` };
    const answer = await journal.append<Counted, Count>(STREAM, version, event, { count: version });
    entries.push(answer.entry);
  }
  return entries;
}

/** The store, whose putIfAbsent misbehaves. */
function breaking(store: BlobStore, how: 'before' | 'after' | 'says exists'): BlobStore {
  return proxied(store, {
    putIfAbsent: async (name, bytes) => {
      if (how !== 'before') await store.putIfAbsent(name, bytes);
      if (how === 'says exists') return 'exists';
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    },
  });
}

function proxied(store: BlobStore, changes: Partial<BlobStore>): BlobStore {
  return {
    putIfAbsent: (name, bytes) => store.putIfAbsent(name, bytes),
    put: (name, content) => store.put(name, content),
    putFile: (name, localPath) => store.putFile(name, localPath),
    get: (name, range) => store.get(name, range),
    toLocal: (name) => store.toLocal(name),
    head: (name) => store.head(name),
    list: (folder) => store.list(folder),
    delete: (name) => store.delete(name),
    deleteFolder: (folder) => store.deleteFolder(folder),
    ...changes,
  };
}
