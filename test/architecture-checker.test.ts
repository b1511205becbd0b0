import { describe, expect, it } from 'vitest';

import { blanked } from './support/house/blanked.ts';
import {
  environmentViolations,
  functionViolations,
  headerViolations,
  nameViolations,
  sizeViolations,
  textViolations,
} from './support/house/form-rules.ts';
import { functionsOf } from './support/house/functions.ts';
import { cycleViolations, importViolations } from './support/house/import-rules.ts';
import { shown, sourceFile } from './support/house/source-file.ts';
import type { SourceFile, Violation } from './support/house/source-file.ts';

describe('the checker of imports', () => {
  it.each([
    ['src/domain/job.ts', `import { x } from 'zod';`],
    ['src/domain/job.ts', `import { x } from 'node:crypto';`],
    ['src/domain/job.ts', `import type { Clock } from '../ports/clock.ts';`],
    ['src/ports/clock.ts', `import { parseJobId } from '../domain/ids.ts';`],
    ['src/ports/clock.ts', `import type { Config } from '../../config/load.ts';`],
    ['src/jsonl/scan.ts', `import { x } from '../domain/job.ts';`],
    ['src/jsonl/scan.ts', `import { connect } from 'node:net';`],
    ['src/stages/poll.ts', `import OpenAI from 'openai';`],
    ['src/stages/poll.ts', `import { readFile } from 'node:fs/promises';`],
    ['src/stages/poll.ts', `import { createClock } from '../adapters/system/clock.ts';`],
    ['src/stages/plan/pass.ts', `import { request } from 'node:http';`],
    ['src/service/step.ts', `import { Queue } from 'bullmq';`],
    ['src/service/step.ts', `import { x } from '../http/errors.ts';`],
    ['src/adapters/openai/a.ts', `import type { Redis } from 'ioredis';`],
    ['src/adapters/openai/a.ts', `import { removeFile } from '../file/durable.ts';`],
    ['src/adapters/openai/a.ts', `import { afterWeather } from '../../domain/retry.ts';`],
    ['src/adapters/unknown/a.ts', `export const one = 1;`],
    ['src/http/app.ts', `import { createFileBlobStore } from '../adapters/file/blob-store.ts';`],
    ['src/cli/run.ts', `import { Redis } from 'ioredis';`],
    ['src/cli/run.ts', `const { Redis } = await import('ioredis');`],
    ['src/simulator/world.ts', `import type { Job } from '../domain/job.ts';`],
    ['src/simulator/world.ts', `export * from '../ports/ids.ts';`],
    ['src/dashboard/page.ts', `import { x } from '../service/jobs.ts';`],
    ['src/stray.ts', `export const one = 1;`],
    ['workers/poll.ts', `import { owedByJob } from '../src/domain/owed.ts';`],
    ['config/load.ts', `import { Refusal } from '../src/domain/errors.ts';`],
  ])('finds in %s: %s', (path, source) => {
    expect(importViolations(sourceFile(path, source))).toHaveLength(1);
  });

  it.each([
    ['src/ports/clock.ts', `import type { JobId } from '../domain/ids.ts';`],
    ['src/ports/clock.ts', `import { type JobId, type ChunkId } from '../domain/ids.ts';`],
    ['src/adapters/openai/a.ts', `import type { Job } from '../../domain/job.ts';`],
    ['src/adapters/openai/a.ts', `import { Weather } from '../../domain/errors.ts';`],
    ['src/stages/plan/pass.ts', `import { openSync } from 'node:fs';`],
    ['src/http/app.ts', `import express from 'express';`],
    ['src/domain/job.ts', `// import { x } from 'zod';\nconst text = "import { x } from 'zod'";`],
    ['src/domain/job.ts', 'const text = `${"a"} import { x } from "zod" ${`b`}`;'],
  ])('has nothing against %s: %s', (path, source) => {
    expect(importViolations(sourceFile(path, source)).map(shown)).toEqual([]);
  });

  it('says file, line and rule', () => {
    const source = `/** Job. */\n\nimport {\n  x,\n} from 'zod';\n`;
    expect(importViolations(sourceFile('src/domain/job.ts', source)).map(shown)).toEqual([
      'src/domain/job.ts:3 src/domain/ may not import package zod',
    ]);
  });

  it('finds a circle once, and none in types that a part names of its whole', () => {
    const files = [
      sourceFile('src/domain/a.ts', `import { b } from './b.ts';`),
      sourceFile('src/domain/b.ts', `import { c } from './c.ts';`),
      sourceFile('src/domain/c.ts', `export { a } from './a.ts';`),
      sourceFile('src/domain/d.ts', `import { a } from './a.ts';`),
      sourceFile('src/domain/whole.ts', `import { part } from './part.ts';`),
      sourceFile('src/domain/part.ts', `import type { Whole } from './whole.ts';`),
    ];
    expect(cycleViolations(files).map(shown)).toEqual([
      'src/domain/a.ts:1 imports itself in a circle: ' +
        'src/domain/a.ts → src/domain/b.ts → src/domain/c.ts → src/domain/a.ts',
    ]);
  });
});

describe('the checker of form', () => {
  const long = (lines: number): string => '  step();\n'.repeat(lines);

  it.each<[string, (file: SourceFile) => Violation[], string, string]>([
    ['a file of 301 lines', sizeViolations, 'src/a.ts', '\n'.repeat(301)],
    ['a line of 101 columns', sizeViolations, 'src/a.ts', 'x'.repeat(101)],
    ['a long function', functionViolations, 'src/a.ts', `function f() {\n${long(60)}}`],
    ['a long arrow', functionViolations, 'src/a.ts', `const f = (x) => {\n${long(60)}};`],
    ['a long method', functionViolations, 'src/a.ts', `class A {\n  f(x): T {\n${long(60)}}\n}`],
    ['utils', nameViolations, 'src/utils/file.ts', ''],
    ['helpers', nameViolations, 'src/domain/helpers.ts', ''],
    ['types.ts', nameViolations, 'src/domain/types.ts', ''],
    ['index.ts', nameViolations, 'src/domain/index.ts', ''],
    ['camelCase', nameViolations, 'src/domain/jobStatus.ts', ''],
    ['a to-do', textViolations, 'src/a.ts', '// TODO: later'],
    ['an ignored error', textViolations, 'src/a.ts', '/* @ts-ignore */'],
    ['a disabled lint', textViolations, 'src/a.ts', '// eslint-disable-next-line'],
    ['a test that is left out', textViolations, 'test/a.test.ts', `it.skip('x', () => {});`],
    ['a lone test', textViolations, 'test/a.test.ts', `describe.only('x', () => {});`],
    ['the environment', environmentViolations, 'src/a.ts', 'const { HOME } = process.env;'],
    ['the environment by hand', environmentViolations, 'src/a.ts', `process\n  .env['HOME']`],
    ['no header', headerViolations, 'src/a.ts', `import x from 'x';\nconst a = 1; // one\n`],
    ['a barrel', headerViolations, 'src/a.ts', `/** All. */\nexport * from './a.ts';\n`],
  ])('finds %s', (_, check, path, source) => {
    expect(check(sourceFile(path, source))).toHaveLength(1);
  });

  it.each<[string, (file: SourceFile) => Violation[], string, string]>([
    ['300 lines', sizeViolations, 'src/a.ts', 'x\n'.repeat(300)],
    ['100 columns of wide text', sizeViolations, 'src/a.ts', '𝒳'.repeat(100)],
    ['60 lines', functionViolations, 'src/a.ts', `function f() {\n${long(58)}}`],
    ['a long condition', functionViolations, 'src/a.ts', `if (x) {\n${long(60)}}`],
    ['a long object', functionViolations, 'src/a.ts', `f(x);\nconst a = {\n${long(60)}};`],
    ['a word in a string', textViolations, 'src/a.ts', "const text = 'TODO';"],
    ['a reason to skip', textViolations, 'test/a.test.ts', `it.skipIf(x)('y', () => {});`],
    ['the loader', environmentViolations, 'config/load.ts', 'process.env;'],
    ['a late header', headerViolations, 'src/a.ts', `import x from 'x';\n\n/** A. */\nf();\n`],
    ['an interpreter', headerViolations, 'src/a.ts', '#!/usr/bin/env node\n/** A. */\nf();\n'],
  ])('has nothing against %s', (_, check, path, source) => {
    expect(check(sourceFile(path, source)).map(shown)).toEqual([]);
  });
});

describe('the reader of sources', () => {
  it.each([
    [`a = 'x\\'y' + "z";`, `a = '    ' + " ";`],
    ['`a${b}c${`d${e}`}f`', '` ${b} ${` ${e}`} `'],
    ['a / b / c; // d', 'a / b / c;     '],
    [`x = /['"/*]\\//g; y = 'z';`, `x = /        /g; y = ' ';`],
    ['return /a/.test(b) /* c */;', 'return / /.test(b)        ;'],
    ['`${{ a: 1 }}` + {}', '`${{ a: 1 }}` + {}'],
  ])('blanks literals and comments and keeps every offset: %s', (source, code) => {
    expect(blanked(source).code).toBe(code);
  });

  it('knows functions by their bodies, whatever their types look like', () => {
    const source = `
      export async function one<T extends { a: 1 }>(x: T): Promise<{ b: 2 }> { f(); }
      const two = (x: () => void): x is { a: 1 } => { f(); };
      class A { #three(): (() => void) | { c: 3 } { f(); } get four() { return 4; } }
      if (one()) { f(); } else { five(x ? g(y) : { z: 6 }); }
      export abstract class B { abstract seven(): void; }
    `;
    expect(functionsOf(blanked(source).code).map(({ name }) => name)).toEqual([
      'one',
      '(anonymous)',
      '#three',
      'four',
    ]);
  });
});
