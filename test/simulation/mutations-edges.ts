/** Bugs at the house's edges, each found by tests of its own: the disk, the wire, the result. */

import type { Mutation } from './mutations.ts';

export const EDGE_MUTATIONS: readonly Mutation[] = [
  {
    name: 'merges without an audit',
    file: 'src/stages/merge.ts',
    from: '  audit(plan, result, written.idsDigest);\n',
    to: '  void [audit, plan];\n',
    tests: 'test/stages/merge.test.ts',
  },
  {
    name: 'verifies no order of the ids',
    file: 'src/stages/answers/verify.ts',
    from: 'this.#digest.hex(), expect.idsDigest);',
    to: 'expect.idsDigest, expect.idsDigest);',
    tests: 'test/stages/answers/verify.test.ts',
  },
  {
    name: 'verifies no checksum',
    file: 'src/stages/answers/verify.ts',
    from: "    compare('The sha256 is', this.#hash.digest('hex'), expect.sha256);\n",
    to: '',
    tests: 'test/stages/answers/verify.test.ts',
  },
  {
    name: 'lets two writers make one object',
    file: 'src/adapters/file/blob-store.ts',
    from: '    await link(from, to);\n',
    to: '    void link;\n    await rename(from, to);\n',
    tests: 'test/adapters/file/blob-store.test.ts',
  },
  {
    name: 'names a file before its content is there',
    file: 'src/adapters/file/blob-store.ts',
    from: 'await this.#rename(await this.#unfinished.write(content), target);',
    to: `await this.#rename(await this.#unfinished.write(Buffer.alloc(0)), target);
    const path = this.#pathOf(name);
    const file = await open(path, 'w');
    await file.writeFile(content).finally(() => file.close());`,
    tests: 'test/adapters/file/blob-store.test.ts',
  },
  {
    name: 'takes a lost connection for a create that never was',
    file: 'src/adapters/openai/weather.ts',
    from: "kind: neverSent(cause) || effect !== 'creates' ? 'transient' : 'unknown',",
    to: "kind: 'transient',",
    tests: 'test/adapters/openai/weather.test.ts',
  },
  {
    name: 'takes a failing server for one that has made no batch',
    file: 'src/adapters/openai/weather.ts',
    from: "  if (effect === 'creates') return 'unknown';\n",
    to: '',
    tests: 'test/adapters/openai/weather.test.ts',
  },
  {
    name: 'takes a conflict for a refusal',
    file: 'src/adapters/openai/weather.ts',
    from: '&& status !== 408 && status !== 409;',
    to: '&& status !== 408;',
    tests: 'test/adapters/openai/create-batch.test.ts',
  },
  {
    name: 'takes batches over whose validation is not over',
    file: 'src/stages/take-over.ts',
    from: "if (status === 'validating') return true;",
    to: "if (status === 'validating') return false;",
    tests: 'test/stages/take-over.test.ts',
  },
  {
    name: 'forgets further batches over what it takes over',
    file: 'src/stages/take-over.ts',
    from: 'batchId === first.batchId ? [] : [{ batchId, number: FIRST, spared: true }],',
    to: 'batchId !== null ? [] : [{ batchId, number: FIRST, spared: true }],',
    tests: 'test/stages/take-over.test.ts',
  },
];
