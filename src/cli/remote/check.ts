/** What doctor finds out about a service: whether it is there, is well, and takes our key. */

import { jobList } from '../../http/contract/job-shapes.ts';
import { listJobs } from '../../http/contract/jobs.ts';
import type { ReadinessBody } from '../../http/contract/operations.ts';
import { getReadiness, readiness } from '../../http/contract/operations.ts';
import type { ServiceClient } from './client.ts';
import { exchange } from './exchange.ts';
import { jsonIn, readText, StrangeAnswer } from './problems.ts';
import { serviceTrouble } from './trouble.ts';

export interface ServiceFinding {
  readonly check: string;
  readonly detail: string;
  /** Null: nothing is wrong. */
  readonly problem: string | null;
}

/** Somebody waits for the answer. */
const PATIENCE_MS = 10_000;
const MAX_BYTES = 1_000_000;

/** Never rejects for what is the service's fault. */
export async function checkService(service: ServiceClient): Promise<ServiceFinding[]> {
  try {
    const body = await readinessOf(service);
    return [serviceFinding(service, body), ...body.checks.map(checked), await keyFinding(service)];
  } catch (error) {
    return [{ check: 'service', detail: service.base, problem: inWords(error) }];
  }
}

/** A service that is not ready says so with a status of failure and the same body. */
async function readinessOf({ base }: ServiceClient): Promise<ReadinessBody> {
  const answer = await exchange({
    url: new URL(base + getReadiness.path),
    method: 'GET',
    headers: {},
    body: null,
    idleMs: PATIENCE_MS,
    quietMs: PATIENCE_MS,
    signal: undefined,
  });
  const parsed = readiness.safeParse(jsonIn(await readText(answer, MAX_BYTES)));
  if (parsed.success) return parsed.data;
  throw new StrangeAnswer(`${base} does not say whether it is ready`);
}

function serviceFinding({ base }: ServiceClient, { status }: ReadinessBody): ServiceFinding {
  const problem = {
    ready: null,
    not_ready: 'It cannot take work now: see what follows.',
    draining: 'It was asked to end and takes nothing new: start it again.',
  }[status];
  return { check: 'service', detail: base, problem };
}

function checked({ name, ok, detail, problem }: ReadinessBody['checks'][number]): ServiceFinding {
  // To other machines a service says no more than whether it is so.
  const unsaid = ok ? null : 'It is not well; the log of the service says why.';
  const found = detail ?? (ok ? 'fine' : 'not well');
  return { check: `service: ${name}`, detail: found, problem: problem ?? unsaid };
}

async function keyFinding(service: ServiceClient): Promise<ServiceFinding> {
  const check = 'BATCHWRIGHT_API_KEY';
  try {
    await service.call(listJobs, jobList, { query: { limit: 1 }, quietMs: PATIENCE_MS });
    return { check, detail: 'the service takes it', problem: null };
  } catch (error) {
    return { check, detail: 'not taken', problem: inWords(error) };
  }
}

/** Throws what is no trouble of a service. */
function inWords(error: unknown): string {
  const trouble = serviceTrouble(error);
  if (trouble === null) throw error;
  return trouble.message.replaceAll('\n', ' ');
}
