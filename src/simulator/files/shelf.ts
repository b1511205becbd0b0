/** The files of the world: what is known of each in memory, the content on disk. */

import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';

import type { VirtualClock } from '../clock.ts';
import type { EventLog } from '../events.ts';
import { hexOf, type Seed } from '../random.ts';

export interface FileRecord {
  /** Counted from 1 in the order of arrival; by what faults draw, since ids hold clients' names. */
  readonly ordinal: number;
  readonly id: string;
  readonly filename: string;
  readonly purpose: string;
  readonly sizeBytes: number;
  /** Unix seconds. */
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly path: string;
}

export interface NewFile {
  readonly path: string;
  readonly filename: string;
  readonly purpose: string;
  readonly sizeBytes: number;
  /** Null: 30 days. */
  readonly expiresAfterSeconds: number | null;
}

export interface FileOnWire {
  readonly id: string;
  readonly object: 'file';
  readonly bytes: number;
  readonly created_at: number;
  readonly expires_at: number;
  readonly filename: string;
  readonly purpose: string;
  readonly status: 'processed';
  readonly status_details: null;
}

interface ShelfSettings {
  readonly folder: string;
  readonly seed: Seed;
  readonly expireFiles: boolean;
}

const USUAL_LIFE_SECONDS = 30 * 86_400;

export class FileShelf {
  readonly #settings: ShelfSettings;
  readonly #clock: VirtualClock;
  readonly #events: EventLog;
  readonly #files = new Map<string, FileRecord>();
  #ordinal = 0;

  constructor(settings: ShelfSettings, clock: VirtualClock, events: EventLog) {
    this.#settings = settings;
    this.#clock = clock;
    this.#events = events;
  }

  /** A path for content that is being written. */
  draftPath(): string {
    return path.join(this.#settings.folder, `draft-${randomUUID()}`);
  }

  /** Takes the content at the path in as a file. */
  async add(file: NewFile): Promise<FileRecord> {
    const ordinal = ++this.#ordinal;
    // The name belongs to the id: with the same seed, another run's files get other ids.
    const id = `file-${hexOf(24, this.#settings.seed, 'file', ordinal, file.filename)}`;
    const home = path.join(this.#settings.folder, id);
    await rename(file.path, home);
    const createdAt = this.#clock.nowSeconds();
    const record: FileRecord = {
      ordinal,
      id,
      filename: file.filename,
      purpose: file.purpose,
      sizeBytes: file.sizeBytes,
      createdAt,
      expiresAt: createdAt + (file.expiresAfterSeconds ?? USUAL_LIFE_SECONDS),
      path: home,
    };
    this.#files.set(id, record);
    this.#events.emit({ type: 'file_created', fileId: id, filename: file.filename });
    return record;
  }

  find(id: string): FileRecord | null {
    const record = this.#files.get(id);
    return record === undefined || this.#isPast(record) ? null : record;
  }

  /** All that live, oldest first. */
  all(): FileRecord[] {
    return [...this.#files.values()].filter((record) => !this.#isPast(record));
  }

  /** Removes the file and its content; false where it is unknown. */
  async remove(id: string): Promise<boolean> {
    const record = this.find(id);
    if (record === null) return false;
    this.#files.delete(id);
    this.#events.emit({ type: 'file_deleted', fileId: id });
    await rm(record.path, { force: true });
    return true;
  }

  #isPast(record: FileRecord): boolean {
    return this.#settings.expireFiles && record.expiresAt <= this.#clock.nowSeconds();
  }
}

/** The file as the API shows it. */
export function fileOnWire(record: FileRecord): FileOnWire {
  return {
    id: record.id,
    object: 'file',
    bytes: record.sizeBytes,
    created_at: record.createdAt,
    expires_at: record.expiresAt,
    filename: record.filename,
    purpose: record.purpose,
    status: 'processed',
    status_details: null,
  };
}
