/** How many long answers may be under way: each may hold a connection for hours. */

import type { TenantId } from '../domain/ids.ts';
import { Problem } from './problem.ts';

/** When a refused client may look again. */
const RETRY_AFTER_SECONDS = 30;

export class StreamSlots {
  readonly #perTenant: number;
  readonly #inAll: number;
  readonly #taken = new Map<TenantId, number>();
  #sum = 0;

  /** Bounds from 1: for each tenant, and for all of them together. */
  constructor(perTenant: number, inAll: number) {
    this.#perTenant = perTenant;
    this.#inAll = inAll;
  }

  /** Takes a slot; throws a `Problem` (429) where none is left. `using` gives it back. */
  take(tenant: TenantId): Disposable {
    const taken = this.#taken.get(tenant) ?? 0;
    if (taken >= this.#perTenant || this.#sum >= this.#inAll) throw full();
    this.#taken.set(tenant, taken + 1);
    this.#sum += 1;
    return { [Symbol.dispose]: () => this.#giveBack(tenant) };
  }

  #giveBack(tenant: TenantId): void {
    this.#sum -= 1;
    const left = (this.#taken.get(tenant) ?? 1) - 1;
    if (left === 0) this.#taken.delete(tenant);
    else this.#taken.set(tenant, left);
  }
}

function full(): Problem {
  const message = 'Too many streams or downloads at once; try again when one has ended.';
  const headers = { 'retry-after': String(RETRY_AFTER_SECONDS) };
  return new Problem({ status: 429, code: 'too_many_streams', message, headers });
}
