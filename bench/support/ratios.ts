/** Runs contenders in turn, round by round, and compares their medians within the one run. */

export interface Contender {
  readonly name: string;
  /** Does the work once and resolves to its facts, to be printed beside the time. */
  readonly run: () => Promise<string>;
}

/** Prints one row a contender: median seconds, MB/s, and its speed with the first one as 1. */
export async function compare(
  contenders: readonly Contender[],
  rounds: number,
  sizeBytes: number,
): Promise<void> {
  const seconds = contenders.map((): number[] => []);
  const facts = contenders.map(() => '');
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, contender] of contenders.entries()) {
      const start = performance.now();
      facts[index] = await contender.run();
      seconds[index]?.push((performance.now() - start) / 1000);
    }
  }
  const medians = seconds.map(median);
  const first = medians[0] ?? Number.NaN;
  for (const [index, contender] of contenders.entries()) {
    const taken = medians[index] ?? Number.NaN;
    const speed = (sizeBytes / 1e6 / taken).toFixed(0);
    const ratio = (first / taken).toFixed(2);
    console.log(
      `${contender.name.padEnd(34)} ${taken.toFixed(2)} s  ${speed.padStart(5)} MB/s` +
        `  ratio ${ratio}  ${facts[index]}`,
    );
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
