import { expect, test } from 'vitest';

import { Weather } from '../../src/domain/errors.ts';
import { CountedProvider } from '../../src/service/counted-provider.ts';
import { batchOf, providerWith } from '../stages/support/provider.ts';

const FILE = { id: 'file-1', filename: 'f', sizeBytes: 30, createdAtMs: 0 };
const UPLOAD = { localPath: '/in', filename: 'f', expiresAfterSeconds: 3_600 };

function weather(kind: Weather['kind']): Weather {
  return new Weather({ kind, status: null, code: null, message: 'm', retryAfterMs: null });
}

test('calls are handed on as they are, and counted by how they end', async () => {
  const failures: unknown[] = [weather('transient'), weather('unknown'), new Error('EIO')];
  const provider = new CountedProvider(
    providerWith({
      retrieveBatch: async (id) => batchOf({ id }),
      createBatch: async () => {
        throw failures.shift();
      },
    }),
  );
  expect(await provider.retrieveBatch('batch_1')).toMatchObject({ id: 'batch_1' });
  await provider.retrieveBatch('batch_2');
  const input = { inputFileId: 'f', endpoint: '/v1', completionWindow: '24h', metadata: {} };
  const create = () => provider.createBatch({ ...input, timeoutMs: 1 });
  await expect(create()).rejects.toMatchObject({ kind: 'transient' });
  await expect(create()).rejects.toMatchObject({ kind: 'unknown' });
  await expect(create()).rejects.toThrow('EIO');
  expect(provider.calls()).toEqual([
    { operation: 'retrieveBatch', outcome: 'ok', count: 2 },
    { operation: 'createBatch', outcome: 'transient', count: 1 },
    { operation: 'createBatch', outcome: 'unknown', count: 1 },
    { operation: 'createBatch', outcome: 'fault', count: 1 },
  ]);
});

test('bytes count when they are where they should be, and not before', async () => {
  let isThere = true;
  const provider = new CountedProvider(
    providerWith({
      upload: async () => {
        if (!isThere) throw weather('transient');
        return FILE;
      },
      download: async () => {
        if (!isThere) throw weather('transient');
        return { sizeBytes: 500 };
      },
    }),
  );
  const ranges = [
    { start: 0, end: 10 },
    { start: 50, end: 70 },
  ];
  await provider.upload({ ...UPLOAD, ranges });
  await provider.download('file-1', '/out');
  isThere = false;
  await expect(provider.upload({ ...UPLOAD, ranges })).rejects.toThrow(Weather);
  await expect(provider.download('file-1', '/out')).rejects.toThrow(Weather);
  expect(provider.bytes()).toEqual({ sent: 30, received: 500 });
});
