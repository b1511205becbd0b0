/** `/healthz`, `/readyz` and `/metrics`. */

import type { Metrics } from '../../ports/metrics.ts';
import type { Mounted } from '../call.ts';
import { mount } from '../call.ts';
import type { ReadinessBody } from '../contract/operations.ts';
import { getHealth, getMetrics, getReadiness } from '../contract/operations.ts';

/** One thing that was looked at. */
interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly problem: string | null;
}

export interface HealthParts {
  readonly version: string;
  /** Never rejects, and answers within seconds. */
  readonly check: () => Promise<{ readonly ok: boolean; readonly findings: readonly Check[] }>;
  /** Aborted when the service was asked to end. */
  readonly draining: AbortSignal;
  /** Whether everybody may see what was found: hosts and folders stand in it. */
  readonly showsDetails: boolean;
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>;
}

export function healthRoutes(parts: HealthParts): Mounted[] {
  const { version, metrics } = parts;
  return [
    mount(getHealth, () => Promise.resolve({ status: 200, json: { status: 'ok', version } })),
    mount(getReadiness, async () => {
      const body = await readinessOf(parts);
      return { status: body.status === 'ready' ? 200 : 503, json: body };
    }),
    mount(getMetrics, async ({ response }) => {
      const text = await metrics.text();
      response.setHeader('content-type', metrics.contentType);
      response.end(text);
      return undefined;
    }),
  ];
}

async function readinessOf({ check, draining, showsDetails }: HealthParts): Promise<ReadinessBody> {
  if (draining.aborted) return { status: 'draining', checks: [] };
  const { ok, findings } = await check();
  const checks = findings.map(({ name, ok: isFine, detail, problem }) => ({
    name,
    ok: isFine,
    ...(showsDetails ? { detail, ...(problem === null ? {} : { problem }) } : {}),
  }));
  return { status: ok ? 'ready' : 'not_ready', checks };
}
