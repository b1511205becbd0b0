import { describe, expect, test } from 'vitest';
import type { JobSpec } from '../../src/domain/job.ts';
import { runKeyText } from '../../src/domain/run-key.ts';
import { SOURCE, SPEC } from './support/samples.ts';

const KEY = runKeyText(SPEC);

const different: [string, JobSpec][] = [
  ['the content', { ...SPEC, source: { ...SOURCE, sha256: 'other' } }],
  ['the encoding', { ...SPEC, source: { ...SOURCE, encoding: 'gzip' } }],
  ['the endpoint', { ...SPEC, defaults: { ...SPEC.defaults, endpoint: '/v1/responses' } }],
  ['the model', { ...SPEC, defaults: { ...SPEC.defaults, model: 'm' } }],
  ['the requests of a chunk', { ...SPEC, limits: { ...SPEC.limits, maxRequests: 11 } }],
  ['the bytes of a chunk', { ...SPEC, limits: { ...SPEC.limits, maxBytes: 11 } }],
  ['the inputs of a chunk', { ...SPEC, limits: { ...SPEC.limits, maxInputs: 11 } }],
  ['the longest line', { ...SPEC, limits: { ...SPEC.limits, maxLineBytes: 11 } }],
  ['what bad lines do', { ...SPEC, onInvalid: 'skip' }],
  ['the base URL', { ...SPEC, provider: { ...SPEC.provider, baseUrl: 'http://other.test/v1' } }],
  ['the organisation', { ...SPEC, provider: { ...SPEC.provider, organization: 'org' } }],
  ['the project', { ...SPEC, provider: { ...SPEC.provider, project: 'p' } }],
  ['the window', { ...SPEC, completionWindow: '48h' }],
];

test.each(different)('%s makes another run', (_what, spec) => {
  expect(runKeyText(spec)).not.toBe(KEY);
});

test('where the input lies, what it is called and when it was submitted do not', () => {
  const moved = { ...SOURCE, location: '/elsewhere', kind: 'blob' as const };
  const other: JobSpec = { ...SPEC, source: moved, name: 'b', createdAtMs: 9 };
  expect(runKeyText(other)).toBe(KEY);
});

test('an organisation is not mistaken for a project of the same name', () => {
  const asOrganization = { ...SPEC.provider, organization: 'x' };
  const asProject = { ...SPEC.provider, project: 'x' };
  expect(runKeyText({ ...SPEC, provider: asOrganization })).not.toBe(
    runKeyText({ ...SPEC, provider: asProject }),
  );
});

describe('a run that takes over batches', () => {
  const source = {
    kind: 'batches',
    location: '2 batches',
    encoding: 'identity',
    sizeBytes: 10,
    sha256: 'ids',
    batches: [{ batchId: 'batch_1', fileId: 'file-1', fileCreatedAtMs: 0 }],
    keepsFiles: false,
  } as const;
  const key = runKeyText({ ...SPEC, source });

  test('is another one with other batches or at another provider', () => {
    const provider = { ...SPEC.provider, baseUrl: 'http://other.test/v1' };
    expect(runKeyText({ ...SPEC, source: { ...source, sha256: 'more ids' } })).not.toBe(key);
    expect(runKeyText({ ...SPEC, source, provider })).not.toBe(key);
    expect(runKeyText({ ...SPEC, source: { ...SOURCE, sha256: 'ids' } })).not.toBe(key);
  });

  test('is the same one whatever the options for cutting say', () => {
    const limits = { ...SPEC.limits, maxRequests: 11, maxBytes: 11 };
    expect(runKeyText({ ...SPEC, source, limits, completionWindow: '48h' })).toBe(key);
    expect(runKeyText({ ...SPEC, source: { ...source, keepsFiles: true, sizeBytes: 0 } })).toBe(
      key,
    );
  });
});
