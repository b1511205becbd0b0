import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { otherTool } from '../support/other-tool.ts';
import type { Matrix, MatrixCase } from './matrix.ts';
import { openMatrix } from './matrix.ts';
import { drawPairs } from './pairs.ts';
import type { Row } from './row.ts';
import { ROWS } from './rows/every-row.ts';
import { tableOf } from './table.ts';

/** `npm run matrix` takes many seeds. */
const SEED = 1;

let matrix: Matrix;
beforeAll(async () => {
  matrix = await openMatrix();
});
afterAll(() => matrix.close());

describe('the fault matrix', () => {
  test(
    'loses nothing and pays nothing twice, whatever its rows do',
    { timeout: 300_000 },
    async () => {
      const failing: string[] = [];
      const cases = ROWS.map((row): MatrixCase => ({ rows: [row], seed: SEED }));
      await matrix.runAll(cases, ({ rows }, { wrong }) => {
        for (const sentence of wrong) failing.push(`${rows[0]?.name}: ${sentence.slice(0, 300)}`);
      });
      expect(failing).toEqual([]);
    },
  );

  test('fails where what was promised does not come out', async () => {
    const row = ROWS.find(({ name }) => name === 'requests that fail for good');
    expect(row).toBeDefined();
    if (row === undefined) return;
    const { wrong } = await matrix.run({ rows: [{ ...row, errors: () => ({}) }], seed: SEED });
    expect(wrong.join()).toMatch(/error lines: \d+ context_length_exceeded, not none/);
    expect(wrong.join()).toMatch(/requests were paid/);
  });

  test('fails where a fault that was switched on never struck', async () => {
    const faults = () => [{ name: 'cancel_hang' as const }];
    const row = { name: 'never', fault: 'never', outcome: 'never', faults };
    const { wrong, struck } = await matrix.run({ rows: [row], seed: SEED });
    expect(struck).toBe(false);
    expect(wrong).toEqual(['did not strike: cancel_hang']);
  });

  test('fails where a file is left that belongs to no answers that are missing', async () => {
    const row = ROWS.find(({ name }) => name === 'missing answer lines');
    expect(row).toBeDefined();
    if (row === undefined) return;
    const act: Row['act'] = async ({ simulator }) => {
      await otherTool(simulator.url).upload('{}\n', 'forgotten.jsonl');
    };
    const { wrong } = await matrix.run({ rows: [{ ...row, act }], seed: SEED });
    expect(wrong).toEqual([expect.stringMatching(/^left at the provider: .*forgotten\.jsonl$/)]);
  });
});

describe('its rows', () => {
  test('have names of their own', () => {
    const names = ROWS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test('are put together in different pairs of different faults', () => {
    const pairs = drawPairs(ROWS, 500).map(({ rows }) => rows.map(({ name }) => name).join(' + '));
    expect(new Set(pairs).size).toBe(500);
  });

  test('stand in the table, each with the command that replays it', () => {
    const table = tableOf(ROWS);
    for (const { name, outcome } of ROWS) {
      expect(table).toContain(`| ${outcome} | \`npm run matrix -- --row "${name}"\` |`);
    }
  });
});
