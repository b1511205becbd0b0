/** How many bodies each tenant may send at once. */

import type { TenantId } from '../domain/ids.ts';
import { Problem } from './problem.ts';

/** When a refused client may look again. */
const RETRY_AFTER_SECONDS = 5;

export class UploadSlots {
  readonly #slots: number;
  readonly #taken = new Map<TenantId, number>();

  /** `slots` for each tenant, from 1. */
  constructor(slots: number) {
    this.#slots = slots;
  }

  /** Does the work in a slot of the tenant; rejects with a `Problem` (429) where all are taken. */
  async within<Value>(tenant: TenantId, work: () => Promise<Value>): Promise<Value> {
    const taken = this.#taken.get(tenant) ?? 0;
    if (taken >= this.#slots) throw this.#full();
    this.#taken.set(tenant, taken + 1);
    try {
      return await work();
    } finally {
      const left = (this.#taken.get(tenant) ?? 1) - 1;
      if (left === 0) this.#taken.delete(tenant);
      else this.#taken.set(tenant, left);
    }
  }

  #full(): Problem {
    const message = `At most ${this.#slots} uploads at once; wait until one is done.`;
    const headers = { 'retry-after': String(RETRY_AFTER_SECONDS) };
    return new Problem({ status: 429, code: 'too_many_uploads', message, headers });
  }
}
