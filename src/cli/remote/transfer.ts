/** The bar of bytes on their way to the service, or back. */

import type { Terminal } from '../terminal.ts';
import { size } from '../terminal.ts';

/** The bar moves at most so often. */
const BAR_MS = 100;

/** A speed over less time than this says nothing. */
const SPEED_MS = 1_000;

export interface Transfer {
  /** `sending`, `fetching`. */
  readonly verb: string;
  /** What is there already, and what there will be; null: nobody knows. */
  readonly doneBytes: number;
  readonly totalBytes: number | null;
}

/** The same blocks, with a bar that says how far they are. */
export async function* showing(
  blocks: AsyncIterable<Buffer>,
  { verb, doneBytes, totalBytes }: Transfer,
  terminal: Terminal,
): AsyncGenerator<Buffer> {
  const startMs = performance.now();
  let dueMs = startMs;
  let movedBytes = 0;
  for await (const block of blocks) {
    yield block;
    movedBytes += block.length;
    const nowMs = performance.now();
    if (nowMs < dueMs) continue;
    dueMs = nowMs + BAR_MS;
    const elapsedMs = nowMs - startMs;
    const speed = elapsedMs < SPEED_MS ? null : (movedBytes / elapsedMs) * 1000;
    terminal.bar(`${verb}  ${line(doneBytes + movedBytes, totalBytes, speed)}`);
  }
}

/** ` 41 %  820 MB / 2.0 GB   210 MB/s`. */
function line(bytes: number, totalBytes: number | null, bytesPerSecond: number | null): string {
  const speed = bytesPerSecond === null ? '' : `   ${size(bytesPerSecond)}/s`;
  if (totalBytes === null) return `${size(bytes)}${speed}`;
  const share = String(Math.floor((bytes / Math.max(1, totalBytes)) * 100)).padStart(3);
  return `${share} %  ${size(bytes)} / ${size(totalBytes)}${speed}`;
}
