/** Rows about the answers: files that are cut or gone, lines that are not what they should be. */

import { toldIncomplete } from '../kept-files.ts';
import type { Ending, Row, Scene } from '../row.ts';
import { few, strikesOf } from '../row.ts';

const DOWNLOADS = [
  ['download_cut', 'a reset in the middle of a download'],
  ['download_truncated_silently', 'a download that ends early without an error'],
  ['download_truncated_at_line_end', 'a download that ends early just behind a line'],
  ['download_stalls', 'a download that stops and stays open'],
] as const;

export const ANSWER_ROWS: readonly Row[] = [
  ...DOWNLOADS.map(([name, fault]): Row => ({
    name: name.replaceAll('_', ' '),
    fault,
    outcome: 'downloaded again; bytes and counts are checked',
    faults: (seed) => [{ name, times: few(seed) }],
    maxAttempts: 1,
  })),
  {
    name: 'download without a length',
    fault: 'a download without a Content-Length',
    outcome: 'checked by the file’s stated size and the counts',
    faults: () => [{ name: 'download_without_length' }],
    maxAttempts: 1,
  },
  {
    name: 'output file gone',
    fault: 'the output file is gone',
    outcome: 'error lines `output_lost`, alert `answers_incomplete`; nothing goes again by itself',
    mixes: false,
    faults: () => [{ name: 'output_file_gone', times: 1 }],
    tells: ['answers_incomplete'],
    errors: (scene) => ({ output_lost: requestsOfIncomplete(scene) }),
    paid: ({ lines }) => lines.length,
    check: oneBatchEach,
  },
  {
    name: 'error file gone',
    fault: 'the error file is gone',
    outcome: 'its requests go again: none of them was paid; alert `answers_incomplete`',
    faults: () => [
      { name: 'line_error_429', rate: 0.4, times: 12 },
      { name: 'error_file_gone', times: 1 },
    ],
    tells: ['answers_incomplete'],
  },
  {
    name: 'empty error file',
    fault: 'an error file of zero bytes',
    outcome: 'nothing failed',
    faults: () => [{ name: 'error_file_empty' }],
    maxAttempts: 1,
  },
  {
    name: 'doubled answer lines',
    fault: 'answer lines that stand twice',
    outcome: 'the first stays; the others are counted as duplicates',
    faults: () => [{ name: 'line_duplicate', rate: 0.4 }],
    maxAttempts: 1,
    check: counted('duplicates', 'line_duplicate'),
  },
  {
    name: 'conflicting answer lines',
    fault: 'a success, and a failure of the same request',
    outcome: 'the success stays; counted as a conflict',
    faults: () => [{ name: 'line_conflict', rate: 0.4 }],
    maxAttempts: 1,
    check: counted('conflicts', 'line_conflict'),
  },
  {
    name: 'strangers',
    fault: 'answers to requests that were never sent',
    outcome: 'quarantined and counted',
    faults: () => [{ name: 'line_stranger', rate: 0.4 }],
    maxAttempts: 1,
    check: (scene, ending) => [
      ...counted('strangers', 'line_stranger')(scene, ending),
      ...notPutAside(ending, strangersOf(ending)),
    ],
  },
  {
    name: 'missing answer lines',
    fault: 'requests without any line',
    outcome: 'sent again, and only they',
    faults: () => [{ name: 'line_missing', rate: 0.4, times: 10 }],
    tells: ['answers_incomplete'],
  },
  {
    name: 'an answer line missing for good',
    fault: 'a request without any line in every attempt',
    outcome: 'error line `attempts_exhausted`',
    mixes: false,
    faults: () => [{ name: 'line_missing', match: 'plain-7' }],
    maxAttempts: 2,
    errors: () => ({ attempts_exhausted: 1 }),
  },
  unreadable('line_unparsable', 'an answer line that does not parse'),
  unreadable('line_bad_utf8', 'an answer line that is not UTF-8'),
  {
    name: 'status 0',
    fault: 'answer lines with status 0 and no body',
    outcome: 'sent again, and only they',
    faults: () => [{ name: 'line_status_0', rate: 0.4, times: 10 }],
  },
  {
    name: 'escaped ids',
    fault: 'ids that are written with \\u escapes',
    outcome: 'compared after decoding; the line stands as it came',
    mixes: false,
    faults: () => [{ name: 'line_id_escaped', rate: 0.5 }],
    maxAttempts: 1,
    otherBytes: true,
  },
  {
    name: 'requests that fail for a while',
    fault: 'answer lines with 429 and 500',
    outcome: 'sent again, and only they',
    faults: () => [
      { name: 'line_error_429', rate: 0.3, times: 8 },
      { name: 'line_error_500', rate: 0.3, times: 8 },
    ],
  },
  {
    name: 'requests that fail for good',
    fault: 'answer lines with any other 4xx',
    outcome: 'the provider’s error line is the answer',
    mixes: false,
    faults: () => [{ name: 'line_error_400', rate: 0.3 }],
    maxAttempts: 1,
    errors: (scene) => ({ context_length_exceeded: strikesOf(scene, 'line_error_400') }),
  },
  {
    name: 'insufficient quota in answer lines',
    fault: '`insufficient_quota` in answer lines',
    outcome: 'the job is held; resumed, it sends them again, and no attempt is counted',
    mixes: false,
    faults: () => [{ name: 'line_error_quota', rate: 0.4 }],
    maxAttempts: 1,
    hold: 'insufficient_quota',
  },
];

/** The request was executed, and most likely paid: see decision 0006. */
function unreadable(name: 'line_unparsable' | 'line_bad_utf8', fault: string): Row {
  return {
    name: name.replaceAll('_', ' '),
    fault,
    outcome: 'error line `answer_unreadable` for it alone; its bytes are quarantined',
    mixes: false,
    faults: () => [{ name, rate: 0.3 }],
    tells: ['answers_incomplete'],
    errors: (scene) => ({ answer_unreadable: strikesOf(scene, name) }),
    check: (scene, ending) => [
      ...oneBatchEach(scene, ending),
      ...counted('unparsable', name)(scene, ending),
      ...notPutAside(ending, spoiltOf(ending, name === 'line_unparsable' ? halfOf : badlyEncoded)),
    ],
  };
}

function counted(kind: string, fault: string): (scene: Scene, ending: Ending) => string[] {
  return (scene, { manifest }) => {
    const [found, expected] = [manifest.quarantine[kind] ?? 0, strikesOf(scene, fault)];
    return found === expected ? [] : [`the manifest counts ${found} ${kind}, not ${expected}`];
  };
}

/** Sentences where quarantine.jsonl does not hold exactly these lines, byte for byte. */
function notPutAside({ quarantine }: Ending, wanted: readonly Buffer[]): string[] {
  const shown = (lines: readonly Buffer[]): string[] =>
    lines.map((line) => line.toString('latin1')).toSorted();
  const [found, expected] = [shown(quarantine), shown(wanted)];
  if (found.length !== expected.length) {
    return [`${found.length} lines are in quarantine, not ${expected.length}`];
  }
  const other = found.find((line, at) => line !== expected[at]);
  return other === undefined ? [] : [`nobody wrote what is in quarantine: ${other}`];
}

/** Each of them is the answer of a request, under a name that was never sent. */
function strangersOf({ quarantine, undisturbed, manifest }: Ending): Buffer[] {
  const names = quarantine.map((line) => idIn(line)).filter((id) => id.startsWith('stranger-'));
  const answers = undisturbed.map((line) => JSON.parse(line) as object);
  const wanted = [...new Set(names)].flatMap((id) => {
    const all = answers.map((answer) => JSON.stringify({ ...answer, custom_id: id }));
    return all.filter((line) => quarantine.some((one) => one.toString() === line));
  });
  // What is missing is missed by its number.
  const missing = (manifest.quarantine['strangers'] ?? 0) - wanted.length;
  return [...wanted, ...Array.from({ length: missing }, () => '')].map((line) => Buffer.from(line));
}

/** What came instead of the answers that were said to be unreadable. */
function spoiltOf({ lines, undisturbed }: Ending, spoil: (line: Buffer) => Buffer): Buffer[] {
  return undisturbed
    .filter((good, at) => lines[at] !== good)
    .map((good) => spoil(Buffer.from(`${good}\n`)));
}

/** As the simulator cuts a line. */
function halfOf(line: Buffer): Buffer {
  return line.subarray(0, Math.floor(line.length / 2));
}

/** As the simulator breaks the encoding, within the value of `id`. */
function badlyEncoded(line: Buffer): Buffer {
  const bad = Buffer.from(line.subarray(0, -1));
  bad.writeUInt16BE(0xc3_28, 20);
  return bad;
}

function idIn(line: Buffer): string {
  return (JSON.parse(line.toString()) as { custom_id: string }).custom_id;
}

function oneBatchEach({ simulator }: Scene, { chunks }: Ending): string[] {
  const { batchesCreated } = simulator.ledger.totals();
  return batchesCreated === chunks ? [] : [`${batchesCreated} batches for ${chunks} chunks`];
}

/** Requests of the batches that operators were told of. */
function requestsOfIncomplete(scene: Scene): number {
  const ids = toldIncomplete(scene);
  return scene.simulator.controls
    .batches()
    .filter(({ id }) => ids.has(id))
    .reduce((sum, batch) => sum + (batch['request_counts'] as { total: number }).total, 0);
}
