import { describe, expect, it } from 'vitest';

import {
  environmentViolations,
  functionViolations,
  headerViolations,
  nameViolations,
  sizeViolations,
  textViolations,
} from './support/house/form-rules.ts';
import { cycleViolations, importViolations } from './support/house/import-rules.ts';
import { shown, sourceFiles } from './support/house/source-file.ts';

const product = sourceFiles(['config', 'src', 'workers']);
const programs = [...product, ...sourceFiles(['bench', 'examples'])];
const everything = [...programs, ...sourceFiles(['test'])];

describe('the house', () => {
  it('is found by the checker', () => {
    expect(product.length).toBeGreaterThan(50);
    expect(product.map(({ path }) => path)).toContain('src/domain/transitions.ts');
    expect(product.flatMap(({ imports }) => imports).length).toBeGreaterThan(200);
  });

  it('imports only what its table allows', () => {
    expect(product.flatMap(importViolations).map(shown)).toEqual([]);
  });

  it('has no files that import each other in a circle at run time', () => {
    expect(cycleViolations(product).map(shown)).toEqual([]);
  });

  it('has files of at most 300 lines, and lines of at most 100 columns', () => {
    expect(everything.flatMap(sizeViolations).map(shown)).toEqual([]);
  });

  it('has functions of at most 60 lines', () => {
    expect(programs.flatMap(functionViolations).map(shown)).toEqual([]);
  });

  it('has files of around 80 lines', () => {
    const lines = product.map(({ source }) => source.split('\n').length).toSorted((a, b) => a - b);
    expect(lines[Math.floor(lines.length / 2)]).toBeLessThan(110);
  });

  it('has names in kebab-case that say something', () => {
    expect(everything.flatMap(nameViolations).map(shown)).toEqual([]);
  });

  it('reads the environment in config/load.ts alone', () => {
    expect(product.flatMap(environmentViolations).map(shown)).toEqual([]);
  });

  it('holds no unfinished work, no switched-off check and no test that is left out', () => {
    expect(everything.flatMap(textViolations).map(shown)).toEqual([]);
  });

  it('says on top of each file what the file owns, and has no barrels', () => {
    expect(product.flatMap(headerViolations).map(shown)).toEqual([]);
  });

  it('comments a tenth to a fifth of its lines, give or take', () => {
    const lines = product.flatMap(({ source }) => source.split('\n')).filter((line) => line.trim());
    const comments = product
      .flatMap(({ blanked }) => blanked.comments.split('\n'))
      .filter((line) => line.trim());
    expect(comments.length / lines.length).toBeGreaterThan(0.07);
    expect(comments.length / lines.length).toBeLessThan(0.25);
  });
});
