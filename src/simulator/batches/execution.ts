/**
 * Executes a batch's requests one after the other, in an order of its own, and writes the answers
 * to two drafts that become the batch's files. Nothing of it is held in memory but a few lines.
 */

import { readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { WorldClosed } from '../clock.ts';
import { drawsFor, shuffled } from '../random.ts';
import type { World } from '../world.ts';
import { AnswerFile } from './answer-file.ts';
import { Answerer } from './answerer.ts';
import type { LineTable } from './lines.ts';
import { type BatchRecord, subjectOf } from './record.ts';

const LINES_A_TURN = 64;

export interface AnswerFileIds {
  readonly output: string | null;
  readonly errors: string | null;
}

export class Execution {
  readonly total: number;
  readonly #world: World;
  readonly #batch: BatchRecord;
  readonly #input: FileHandle;
  readonly #lines: LineTable;
  readonly #order: Uint32Array;
  readonly #answerer: Answerer;
  readonly #output: AnswerFile;
  readonly #errors: AnswerFile;
  #done = 0;

  private constructor(
    world: World,
    batch: BatchRecord,
    input: FileHandle,
    lines: LineTable,
    files: readonly [AnswerFile, AnswerFile],
  ) {
    const { seed, shuffle } = world.settings;
    this.total = lines.count;
    this.#world = world;
    this.#batch = batch;
    this.#input = input;
    this.#lines = lines;
    this.#order = shuffle
      ? shuffled(lines.count, drawsFor(seed, 'order', batch.ordinal))
      : Uint32Array.from({ length: lines.count }, (_, index) => index);
    this.#answerer = new Answerer(world, batch);
    [this.#output, this.#errors] = files;
  }

  static async open(
    world: World,
    batch: BatchRecord,
    input: FileHandle,
    lines: LineTable,
  ): Promise<Execution> {
    const output = await AnswerFile.open(world.files.draftPath());
    const errors = await AnswerFile.open(world.files.draftPath());
    return new Execution(world, batch, input, lines, [output, errors]);
  }

  /** Executes until so many requests are done. */
  async advanceTo(target: number): Promise<void> {
    const before = this.#done;
    while (this.#done < target) {
      if (this.#world.clock.isClosed) throw new WorldClosed();
      const end = Math.min(target, this.#done + LINES_A_TURN);
      while (this.#done < end) this.#executeNext();
      await this.#output.flush();
      await this.#errors.flush();
      await nextTurn();
    }
    if (this.#done === before) return;
    const { id: batchId } = this.#batch;
    this.#world.events.emit({ type: 'batch_progress', batchId, executed: this.#done });
  }

  /** Puts the answers on the shelf; first the rest gets error lines with the code, if any. */
  async publish(restCode: string | null): Promise<AnswerFileIds> {
    if (restCode !== null) await this.#abandonRest(restCode);
    const output = await this.#output.finish();
    const errors = await this.#errors.finish();
    const { faults } = this.#world;
    const isEmptyWanted = faults.strikes('error_file_empty', subjectOf(this.#batch)) !== null;
    return {
      output:
        output === 0 && this.#batch.completed === 0
          ? null
          : await this.#shelve(this.#output.path, output, 'output'),
      errors:
        errors === 0 && !isEmptyWanted
          ? null
          : await this.#shelve(this.#errors.path, errors, 'error'),
    };
  }

  /** Removes what was not published. */
  async discard(): Promise<void> {
    await this.#output.discard();
    await this.#errors.discard();
  }

  #executeNext(): void {
    const answer = this.#answerer.execute(this.#readLine(this.#done));
    for (const line of answer.output) this.#output.append(line);
    for (const line of answer.errors) this.#errors.append(line);
    if (answer.isSuccess) this.#batch.completed++;
    else this.#batch.failed++;
    this.#done++;
  }

  async #abandonRest(code: string): Promise<void> {
    for (let index = this.#done; index < this.total; index++) {
      this.#errors.append(this.#answerer.abandon(this.#readLine(index), code));
      if (index % 1000 === 0) {
        await this.#errors.flush();
        await nextTurn();
      }
    }
  }

  /** Synchronous: the line is in the page cache, and a turn of the loop costs more. */
  #readLine(index: number): Buffer {
    const { offset, length } = this.#lines.at(this.#order[index] ?? -1);
    const line = Buffer.allocUnsafe(length);
    readSync(this.#input.fd, line, 0, length, offset);
    return line;
  }

  async #shelve(path: string, sizeBytes: number, kind: 'output' | 'error'): Promise<string> {
    const file = await this.#world.files.add({
      path,
      sizeBytes,
      filename: `${this.#batch.id}_${kind}.jsonl`,
      purpose: 'batch_output',
      expiresAfterSeconds: this.#batch.outputExpiresAfterSeconds,
    });
    return file.id;
  }
}
