/**
 * The keys that callers of the service show. A key is written once and revoked by a second object
 * written once, so any number of processes make, revoke and check keys beside each other.
 */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { invariant, Refusal } from '../domain/errors.ts';
import type { TenantId } from '../domain/ids.ts';
import { parseTenantId } from '../domain/ids.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ids } from '../ports/ids.ts';
import {
  ACCESS_KEYS_FOLDER,
  accessKeyName,
  REVOKED_KEYS_FOLDER,
  revokedKeyName,
} from '../stages/names.ts';

/** `admin` may do what `tenant` may, for its own tenant, and see the operator's pages. */
export type Role = 'tenant' | 'admin';

/** Who calls. */
export interface Principal {
  readonly tenant: TenantId;
  readonly role: Role;
}

/** A key as it is kept: nothing in it opens a door. */
export interface AccessKey extends Principal {
  /** The public part of the key, by which people name it. */
  readonly prefix: string;
  /** For people. */
  readonly name: string;
  readonly createdAtMs: number;
  /** Null: it is in force. */
  readonly revokedAtMs: number | null;
}

export interface KeyWish extends Principal {
  readonly name: string;
}

/** The two times that this lies under the promise of 5 s are for a slow store. */
const FRESH_MS = 1_000;

const PREFIX_CHARACTERS = 12;
const SECRET_BYTES = 32;
const KEY = /^bw_([0-9a-hjkmnp-tv-z]{12})_([A-Za-z0-9_-]{43})$/;
const PREFIX = /^[0-9a-hjkmnp-tv-z]{12}$/;

/** What a bearer that names no key is compared with: nothing hashes to it. */
const NO_DIGEST = Buffer.alloc(32);

interface Kept {
  readonly key: AccessKey;
  readonly digest: Buffer;
}

interface Found {
  readonly keys: ReadonlyMap<string, Kept>;
  /** Whether anything lies where keys lie. */
  readonly isAny: boolean;
}

interface Looked {
  readonly atMs: number;
  readonly found: Promise<Found>;
}

export class AccessKeys {
  readonly #blobs: BlobStore;
  readonly #ids: Pick<Ids, 'nonce'>;
  readonly #clock: Pick<Clock, 'wallMs' | 'monotonicMs'>;
  /** Keys never change but by revocation: what was read once is not read again. */
  readonly #written = new Map<string, Kept>();
  #looked: Looked | null = null;

  constructor(
    blobs: BlobStore,
    ids: Pick<Ids, 'nonce'>,
    clock: Pick<Clock, 'wallMs' | 'monotonicMs'>,
  ) {
    this.#blobs = blobs;
    this.#ids = ids;
    this.#clock = clock;
  }

  /** Makes a key; durable when it resolves. `text` is the only copy of the secret. */
  async create({ tenant, role, name }: KeyWish): Promise<{ text: string; key: AccessKey }> {
    const prefix = this.#ids.nonce().slice(0, PREFIX_CHARACTERS);
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    const createdAtMs = this.#clock.wallMs();
    const bytes = Buffer.from(
      JSON.stringify({
        sha256: digestOf(secret).toString('hex'),
        tenant,
        role,
        name,
        created_at: new Date(createdAtMs).toISOString(),
      }),
    );
    // 60 random bits: a second one of that name is a broken random source.
    const outcome = await this.#blobs.putIfAbsent(accessKeyName(prefix), bytes);
    invariant(outcome === 'created', 'the prefix of a new key is new');
    this.#looked = null;
    const key = { prefix, tenant, role, name, createdAtMs, revokedAtMs: null };
    return { text: `bw_${prefix}_${secret}`, key };
  }

  /** All keys, revoked ones too, oldest first. */
  async list(): Promise<AccessKey[]> {
    this.#looked = null;
    const { keys } = await this.#current();
    return [...keys.values()].map(({ key }) => key).toSorted(byAge);
  }

  /**
   * Ends the key everywhere within 5 s. Resolves to whether this call did it; refuses what names
   * no key.
   */
  async revoke(prefix: string): Promise<boolean> {
    const isThere = PREFIX.test(prefix) && (await this.#blobs.head(accessKeyName(prefix))) !== null;
    if (!isThere) throw new Refusal('unknown_key', `There is no key ${prefix.slice(0, 60)}.`);
    const bytes = Buffer.from(
      JSON.stringify({ revoked_at: new Date(this.#clock.wallMs()).toISOString() }),
    );
    const outcome = await this.#blobs.putIfAbsent(revokedKeyName(prefix), bytes);
    this.#looked = null;
    return outcome === 'created';
  }

  /** Whether a key was ever made: to revoke or to spoil the last one opens no door. */
  async any(): Promise<boolean> {
    return (await this.#current()).isAny;
  }

  /**
   * Whose bearer it is; null for one that is malformed, unknown, wrong or revoked, all after the
   * same work. Rejects where the store cannot be read: nobody is let in unseen.
   */
  async authenticate(bearer: string): Promise<Principal | null> {
    const { keys } = await this.#current();
    const [, prefix = '', secret = bearer] = KEY.exec(bearer) ?? [];
    const kept = keys.get(prefix);
    const isRight = timingSafeEqual(digestOf(secret), kept?.digest ?? NO_DIGEST);
    if (kept === undefined || !isRight || kept.key.revokedAtMs !== null) return null;
    return { tenant: kept.key.tenant, role: kept.key.role };
  }

  /** All callers of a moment share one look at the store. */
  async #current(): Promise<Found> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#looked === null || nowMs - this.#looked.atMs > FRESH_MS) {
      const looked: Looked = { atMs: nowMs, found: this.#look() };
      this.#looked = looked;
      looked.found.catch(() => {
        if (this.#looked === looked) this.#looked = null;
      });
    }
    return this.#looked.found;
  }

  async #look(): Promise<Found> {
    const [names, revoked] = await Promise.all([
      this.#blobs.list(ACCESS_KEYS_FOLDER),
      this.#blobs.list(REVOKED_KEYS_FOLDER),
    ]);
    const ended = new Set(revoked);
    const keys = new Map<string, Kept>();
    for (const name of names) {
      const prefix = name.replace('.json', '');
      const kept = PREFIX.test(prefix) ? await this.#read(prefix, ended.has(name)) : null;
      if (kept !== null) keys.set(prefix, kept);
    }
    return { keys, isAny: names.length + revoked.length > 0 };
  }

  /** Null: a file that a hand has spoilt opens no door, and shuts no other one. */
  async #read(prefix: string, isRevoked: boolean): Promise<Kept | null> {
    const known = this.#written.get(prefix);
    if (known !== undefined && (known.key.revokedAtMs !== null) === isRevoked) return known;
    const bytes = await this.#blobs.get(accessKeyName(prefix));
    const revocation = isRevoked ? await this.#blobs.get(revokedKeyName(prefix)) : null;
    const kept = bytes === null ? null : keptOf(prefix, bytes, isRevoked, revocation);
    if (kept !== null) this.#written.set(prefix, kept);
    return kept;
  }
}

function keptOf(
  prefix: string,
  bytes: Buffer,
  isRevoked: boolean,
  revocation: Buffer | null,
): Kept | null {
  const fields = fieldsOf(bytes);
  const tenant = parseTenantId(String(fields['tenant']));
  const digest = Buffer.from(String(fields['sha256']), 'hex');
  const createdAtMs = Date.parse(String(fields['created_at']));
  if (tenant === null || digest.length !== NO_DIGEST.length) return null;
  const role: Role = fields['role'] === 'admin' ? 'admin' : 'tenant';
  const revokedAtMs = Date.parse(String(fieldsOf(revocation)['revoked_at']));
  const key: AccessKey = {
    prefix,
    tenant,
    role,
    name: String(fields['name']),
    createdAtMs: Number.isNaN(createdAtMs) ? 0 : createdAtMs,
    // The object's being there is the revocation, whatever it says.
    revokedAtMs: isRevoked ? revokedAtMs || 0 : null,
  };
  return { key, digest };
}

function fieldsOf(bytes: Buffer | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(String(bytes));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function byAge(one: AccessKey, other: AccessKey): number {
  return one.createdAtMs - other.createdAtMs || (one.prefix < other.prefix ? -1 : 1);
}
