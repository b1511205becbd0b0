/** `batchwright plan`: checks a request set and shows its chunks; sends nothing. */

import type { Command } from 'commander';
import type { Plan } from '../domain/plan.ts';
import { sayRefusal } from './conclude.ts';
import { EXIT } from './exit.ts';
import type { Finish } from './exit.ts';
import type { PlanFlags } from './plan-flags.ts';
import { limitsOf, withPlanFlags } from './plan-flags.ts';
import { terminalOf, withCommonFlags, withStore } from './settings.ts';
import { openSource } from './source.ts';
import type { Terminal } from './terminal.ts';
import { grouped, plural, size } from './terminal.ts';

/** Bad lines that are listed. */
const MAX_REPORTED = 100;

export function addPlan(program: Command, finish: Finish): void {
  const command = program
    .command('plan')
    .description('check a request set and show its chunks, without sending anything')
    .argument('<input>', 'a JSONL file, a .gz of one, or - for standard input');
  withCommonFlags(withPlanFlags(command)).action(async (input: string, flags: PlanFlags) => {
    const terminal = terminalOf(flags);
    await withStore(flags, async (store, config) => {
      const opened = await openSource(input, store);
      const folder = await store.scratch.makeFolder('plan');
      try {
        const outcome = await store.engines.run('planRequestSet', {
          sourcePath: opened.path,
          encoding: opened.source.encoding,
          outputFolder: folder,
          job: store.ids.job(),
          defaults: { endpoint: flags.endpoint ?? null, model: flags.model ?? null },
          limits: limitsOf(flags, config),
          onInvalid: flags.onInvalid,
          write: false,
          maxReported: MAX_REPORTED,
        });
        if (outcome.kind === 'planned') {
          sayPlan(outcome.plan, terminal);
          return finish(EXIT.ok);
        }
        const { rejected, rejectedTotal } = outcome;
        const message = `${plural(rejectedTotal, 'line')} cannot be sent.`;
        finish(sayRefusal({ code: 'invalid_lines', message, rejected, rejectedTotal }, terminal));
      } finally {
        await store.scratch.removeFolder(folder);
        if (opened.source.kind === 'blob') await store.blobs.delete(opened.source.location);
      }
    });
  });
}

function sayPlan(plan: Plan, terminal: Terminal): void {
  if (terminal.json) return terminal.data(JSON.stringify(plan));
  for (const chunk of plan.chunks) {
    const rejected = chunk.rejected > 0 ? `  ${grouped(chunk.rejected)} rejected` : '';
    terminal.data(
      `${chunk.id}  ${(chunk.model ?? '–').padEnd(24)}  ${grouped(chunk.requests).padStart(9)}` +
        `  ${size(chunk.sizeBytes).padStart(9)}` +
        `  lines ${grouped(chunk.firstLine)}–${grouped(chunk.lastLine)}${rejected}`,
    );
  }
  const { counts } = plan;
  terminal.data(
    `${plural(counts.requests, 'request')} · ${plural(plan.chunks.length, 'chunk')} · ` +
      `${plan.endpoint} · ${plural(counts.rejected, 'rejected line')} · ` +
      `${plural(counts.blank, 'blank line')} · ${size(plan.source.sizeBytes)}`,
  );
}
