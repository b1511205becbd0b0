/**
 * The fault matrix: `node test/matrix/run.ts --seeds 20 --pairs 500`. `--row "<name>"` and
 * `--seed N` replay one case, `--row` twice a pair; `--list` names the rows, `--table` prints them
 * as Markdown. Exits with 1 where a case fails, a row's fault did not strike, or both faults of
 * too few pairs did.
 */

import { parseArgs } from 'node:util';
import type { MatrixCase } from './matrix.ts';
import { openMatrix } from './matrix.ts';
import { drawPairs } from './pairs.ts';
import type { Row } from './row.ts';
import { ROWS } from './rows/every-row.ts';
import { tableOf } from './table.ts';

/** The share of the pairs in which both faults have to strike, so that pairs are what they say. */
const MIN_STRUCK_SHARE = 0.8;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    start: { type: 'string', default: '1' },
    pairs: { type: 'string', default: '0' },
    row: { type: 'string', multiple: true, default: [] },
    seed: { type: 'string' },
    list: { type: 'boolean', default: false },
    table: { type: 'boolean', default: false },
  },
});

if (values.list) for (const { name } of ROWS) console.log(name);
else if (values.table) process.stdout.write(tableOf(ROWS));
else process.exitCode = await main();

async function main(): Promise<number> {
  const startedMs = performance.now();
  const singles = singlesOf(values.row.map(rowOf));
  const pairs = values.row.length > 0 ? [] : drawPairs(ROWS, Number(values.pairs));
  const matrix = await openMatrix();
  const counts = { failing: 0, pairsStruck: 0 };
  try {
    await matrix.runAll([...singles, ...pairs], (one, { wrong, struck }) => {
      const isPair = one.rows.length > 1;
      // In a pair one fault may keep the other from striking: that proves less, but breaks nothing.
      const sentences = isPair && !struck ? wrong.slice(0, -1) : wrong;
      if (isPair && struck) counts.pairsStruck += 1;
      if (sentences.length === 0) return;
      counts.failing += 1;
      console.log(`FAILED  ${replayOf(one)}`);
      for (const sentence of sentences.slice(0, 12)) console.log(`    ${sentence.slice(0, 400)}`);
    });
  } finally {
    await matrix.close();
  }
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  const rows = new Set(singles.flatMap((one) => one.rows)).size;
  console.log(
    `${rows} rows, ${singles.length} cases, ${pairs.length} pairs ` +
      `(both faults struck in ${counts.pairsStruck}), ${counts.failing} failing, ${seconds} s`,
  );
  const isFair = counts.pairsStruck >= pairs.length * MIN_STRUCK_SHARE;
  if (!isFair) console.log(`FAILED  both faults struck in too few pairs`);
  return counts.failing === 0 && isFair ? 0 : 1;
}

/** Each row, or the one or two that were named, over the seeds. */
function singlesOf(named: readonly Row[]): MatrixCase[] {
  const first = Number(values.seed ?? values.start);
  const count = values.seed === undefined ? Number(values.seeds) : 1;
  const seeds = Array.from({ length: count }, (_, index) => first + index);
  const sets = named.length > 1 ? [named] : (named.length === 1 ? named : ROWS).map((row) => [row]);
  return seeds.flatMap((seed) => sets.map((rows) => ({ rows, seed })));
}

function rowOf(name: string): Row {
  const row = ROWS.find((one) => one.name === name);
  if (row === undefined) throw new Error(`there is no row '${name}': --list names them`);
  return row;
}

function replayOf({ rows, seed }: MatrixCase): string {
  return `${rows.map(({ name }) => `--row "${name}"`).join(' ')} --seed ${seed}`;
}
