/** Who may come in, how often, and how much they may bring: what stands in front of all routes. */

import type { RequestHandler } from 'express';
import type { Config } from '../../config/load.ts';
import { isLoopback } from '../../config/providers.ts';
import type { Store } from '../compose.ts';
import { Refusal } from '../domain/errors.ts';
import type { TenantId } from '../domain/ids.ts';
import type { Authenticate } from '../http/authenticate.ts';
import { createAuthenticate } from '../http/authenticate.ts';
import { requireRoom } from '../http/body-sink.ts';
import { guards } from '../http/guards.ts';
import type { IntakeLimits } from '../http/intake.ts';
import type { WithRoom } from '../http/make-job.ts';
import { createRateLimit } from '../http/rate-limit.ts';
import { UploadSlots } from '../http/upload-slots.ts';
import { AccessKeys } from '../service/access-keys.ts';
import type { Claim } from '../service/tenant-usage.ts';
import { TenantUsage } from '../service/tenant-usage.ts';

export interface Admission {
  /** In this order, in front of every route. */
  readonly guards: readonly RequestHandler[];
  readonly authenticate: Authenticate;
  readonly limit: RequestHandler;
  /** Whether a key was ever made: then callers are others than who owns the machine. */
  readonly hasKeys: () => Promise<boolean>;
  /**
   * Does the work of one upload of the tenant, until what it brings is stored: it gets what bounds
   * it. `keeps`: whether that stays. Throws a Problem beyond.
   */
  upload<Value>(
    upload: { readonly tenant: TenantId; readonly keeps: boolean },
    work: (limits: IntakeLimits) => Promise<Value>,
  ): Promise<Value>;
  readonly withRoom: WithRoom;
}

/** Refuses to open a service to other machines that asks nobody for a key. */
export async function openAdmission(config: Config, store: Store): Promise<Admission> {
  const { BATCHWRIGHT_HOST: host } = config;
  const keys = new AccessKeys(store.blobs, store.ids, store.clock);
  const isLocal = isLoopback(`http://${host.includes(':') ? `[${host}]` : host}`);
  if (!isLocal && !(await keys.any())) throw openToAll(host, config.dataDir);
  const slots = new UploadSlots(config.BATCHWRIGHT_UPLOADS_AT_ONCE);
  const usage = new TenantUsage(store.blobs, store.clock);
  const quotaBytes = config.BATCHWRIGHT_TENANT_QUOTA_BYTES ?? null;
  const limited: Limited = (tenant, keeps, work) => {
    const limitsWith = (claim: Claim): IntakeLimits => limitsOf(config, store, claim);
    if (quotaBytes === null) return work(limitsWith(() => true));
    return usage.within({ tenant, quotaBytes, keeps }, (claim) => work(limitsWith(claim)));
  };
  return {
    guards: guards({
      boundHost: host,
      allowedHosts: config.BATCHWRIGHT_ALLOWED_HOSTS,
      allowedOrigins: config.BATCHWRIGHT_ALLOWED_ORIGINS,
    }),
    authenticate: createAuthenticate(keys, {
      isLoopback: isLocal,
      failuresPerMinute: config.BATCHWRIGHT_WRONG_KEYS_PER_MINUTE,
    }),
    limit: createRateLimit(config.BATCHWRIGHT_CALLS_PER_MINUTE),
    hasKeys: () => keys.any(),
    upload: ({ tenant, keeps }, work) => slots.within(tenant, () => limited(tenant, keeps, work)),
    withRoom: (tenant, sizeBytes, work) =>
      limited(tenant, true, async (limits) => {
        await requireRoom(sizeBytes, limits);
        return work();
      }),
  };
}

/** Does work that brings bytes of the tenant, within its limits. */
type Limited = <Value>(
  tenant: TenantId,
  keeps: boolean,
  work: (limits: IntakeLimits) => Promise<Value>,
) => Promise<Value>;

function limitsOf(config: Config, store: Store, claim: Claim): IntakeLimits {
  return {
    maxBytes: config.BATCHWRIGHT_MAX_UPLOAD_BYTES,
    claim,
    maxLineBytes: config.BATCHWRIGHT_MAX_LINE_BYTES,
    minFreeBytes: config.BATCHWRIGHT_MIN_FREE_BYTES,
    freeBytes: () => store.scratch.freeBytes(),
    idleMs: config.BATCHWRIGHT_UPLOAD_IDLE_MS,
  };
}

function openToAll(host: string, dataDir: string): Refusal {
  return new Refusal(
    'configuration',
    `Other machines can reach ${host}, and there is no key yet, so anybody there could spend ` +
      `your money. Make one: batchwright keys create --tenant NAME --data-dir ${dataDir}`,
  );
}
