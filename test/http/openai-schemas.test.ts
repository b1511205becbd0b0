import { describe, expect, it } from 'vitest';

import { faultsOf } from './openai-schemas.ts';

const file = {
  id: 'file-1',
  object: 'file',
  bytes: 1,
  created_at: 1,
  filename: 'a.jsonl',
  purpose: 'batch',
  status: 'processed',
};

describe("the check of answers against OpenAI's schemas", () => {
  it('takes null for an optional field as its absence', () => {
    expect(faultsOf('OpenAIFile', { ...file, expires_at: null, status_details: null })).toEqual([]);
    expect(faultsOf('OpenAIFile', { ...file, expires_at: 1.5 })).not.toEqual([]);
  });

  it('finds what is missing, null though it is required, or of another kind', () => {
    const { bytes: _, ...without } = file;
    expect(faultsOf('OpenAIFile', without)).toEqual([" must have required property 'bytes'"]);
    expect(faultsOf('OpenAIFile', { ...file, bytes: null })).toEqual(['/bytes must be integer']);
    expect(faultsOf('OpenAIFile', { ...file, purpose: 'other' })).not.toEqual([]);
    expect(faultsOf('ErrorResponse', { error: { message: 'm', type: 't', param: null } })).toEqual([
      "/error must have required property 'code'",
    ]);
  });

  it('looks into lists', () => {
    const ids = { first_id: 'file-1', last_id: 'file-1' };
    const list = { object: 'list', data: [file], has_more: false, ...ids };
    expect(faultsOf('ListFilesResponse', list)).toEqual([]);
    const bad = { ...list, data: [{ ...file, status: 1 }] };
    expect(faultsOf('ListFilesResponse', bad)).toContain('/data/0/status must be string');
    const empty = { ...list, data: [], first_id: null, last_id: null };
    expect(faultsOf('ListFilesResponse', empty)).toEqual([]);
    expect(faultsOf('ListFilesResponse', { ...list, first_id: null })).not.toEqual([]);
  });
});
