/** `errors` against a service: what failed, grouped or line by line. */

import type { FailuresBody } from '../../http/contract/results.ts';
import { failures, listErrors } from '../../http/contract/results.ts';
import { failureJson, failureLine, sayGroups } from '../failures.ts';
import type { Terminal } from '../terminal.ts';
import { plural } from '../terminal.ts';
import type { ServiceClient } from './client.ts';
import { findJob } from './find-job.ts';
import { StrangeAnswer } from './problems.ts';

const PAGE_LINES = 1_000;

type Body<Kind extends FailuresBody['object']> = Extract<FailuresBody, { object: Kind }>;

/** Says what failed; with `asLines` each line of it. */
export async function remoteErrors(
  text: string,
  asLines: boolean,
  service: ServiceClient,
  terminal: Terminal,
): Promise<void> {
  const { id } = await findJob(text, service);
  if (!asLines) return sayClasses(id, service, terminal);
  for await (const { custom_id: customId, ...failure } of eachFailure(id, service)) {
    const line = { ...failure, customId };
    terminal.data(terminal.json ? failureJson(line) : failureLine(line));
  }
}

async function sayClasses(id: string, service: ServiceClient, terminal: Terminal): Promise<void> {
  const input = { params: { job: id }, query: { view: 'groups' } };
  const body = await service.call(listErrors, failures, input);
  const { groups, failed } = ofKind(body, 'failure_groups');
  const shown = groups.map(({ sample_ids: sampleIds, ...group }) => ({ ...group, sampleIds }));
  if (terminal.json) {
    for (const group of shown) terminal.data(JSON.stringify(group));
  } else if (failed === 0) {
    terminal.say('No line failed.');
  } else {
    sayGroups(shown, (group) => next(group, id, terminal), terminal);
    terminal.say(`${plural(failed, 'failed line')} in all.`);
  }
}

/** A command to paste: send the failed requests again, or look at the lines. */
function next(
  { class: name, retryable }: { readonly class: string; readonly retryable: boolean },
  id: string,
  terminal: Terminal,
): string {
  return retryable
    ? terminal.command('retry', id, '--class', name)
    : terminal.command('errors', id, '--lines');
}

async function* eachFailure(id: string, service: ServiceClient) {
  let after: string | undefined;
  for (;;) {
    const query = { view: 'lines', limit: PAGE_LINES, after };
    const input = { params: { job: id }, query };
    const page = ofKind(await service.call(listErrors, failures, input), 'list');
    yield* page.data;
    if (!page.has_more || page.next === null) return;
    after = page.next;
  }
}

function ofKind<Kind extends FailuresBody['object']>(body: FailuresBody, kind: Kind): Body<Kind> {
  if (body.object === kind) return body as Body<Kind>;
  throw new StrangeAnswer(`the service answered with a ${body.object} where a ${kind} was asked`);
}
