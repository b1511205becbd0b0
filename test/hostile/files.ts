/** Files: what was uploaded and what was written, and the ways in which they are handed out. */

import type { IncomingMessage } from 'node:http';
import type { Ledger, StoredFile } from './ledger.ts';
import type { Mischief } from './mischief.ts';

export class Files {
  readonly #ledger: Ledger;
  readonly #mischief: Mischief;
  readonly #asked = new Map<string, number>();

  constructor(ledger: Ledger, mischief: Mischief) {
    this.#ledger = ledger;
    this.#mischief = mischief;
  }

  add(content: Buffer, filename: string, purpose: StoredFile['purpose']): StoredFile {
    const number = this.#ledger.files.size + 1;
    const odd = this.#mischief.active.has('odd_ids');
    const file = {
      id: odd ? `file é/${number}?x=#%41+` : `file-${number}`,
      filename,
      createdAtS: Math.floor(Date.now() / 1000),
      purpose,
      content,
      deleted: false,
      isHandedOut: false,
    };
    this.#ledger.files.set(file.id, file);
    return file;
  }

  find(id: string): StoredFile | null {
    const file = this.#ledger.files.get(id);
    return file === undefined || file.deleted ? null : file;
  }

  list(): StoredFile[] {
    return [...this.#ledger.files.values()].filter((file) => !file.deleted);
  }

  view(file: StoredFile): object {
    const stated = !this.#mischief.active.has('sizes_unstated');
    return {
      id: file.id,
      object: 'file',
      filename: file.filename,
      purpose: file.purpose,
      created_at: file.createdAtS,
      ...(stated ? { bytes: file.content.length } : {}),
    };
  }

  /** How this request for the content is answered. */
  content(file: StoredFile): Download {
    const times = (this.#asked.get(file.id) ?? 0) + 1;
    this.#asked.set(file.id, times);
    const mischief = this.#mischief;
    if (times <= 3 && mischief.happens('lagging_output', file.id, times)) return { kind: 'absent' };
    const mayCut = times <= 2 && file.content.length > 1;
    if (mayCut && mischief.happens('cut_download', file.id, times)) return { kind: 'reset' };
    if (mayCut && mischief.happens('silent_cut', file.id, times)) {
      return { kind: 'short', content: cutInALine(file.content) };
    }
    file.isHandedOut = true;
    return { kind: 'whole' };
  }
}

export type Download =
  | { readonly kind: 'absent' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'short'; readonly content: Buffer }
  | { readonly kind: 'whole' };

/** The content and the name of an uploaded form's file. */
export function uploadIn(request: IncomingMessage, body: Buffer): { name: string; file: Buffer } {
  const type = request.headers['content-type'] ?? '';
  const boundary = /boundary="?([^";]+)/.exec(type)?.[1] ?? '';
  const head = body.indexOf('name="file"');
  const name = /filename="([^"]*)"/.exec(body.subarray(head, head + 500).toString())?.[1] ?? '';
  const start = body.indexOf('\r\n\r\n', head) + 4;
  return { name, file: body.subarray(start, body.lastIndexOf(`\r\n--${boundary}--`)) };
}

/** No client can see a cut between two lines where sizes and counts are unstated or wrong. */
function cutInALine(content: Buffer): Buffer {
  const text = content.toString().trimEnd();
  const last = text.lastIndexOf('\n', text.length * 0.7) + 1;
  const end = text.indexOf('\n', last);
  const middle = Math.floor((last + (end < 0 ? text.length : end)) / 2);
  return Buffer.from(text.slice(0, Math.max(1, middle)));
}
