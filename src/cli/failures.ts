/** Failed lines as people and programs read them, wherever they come from. */

import type { FailedLine, FailureGroup } from '../service/results.ts';
import type { Terminal } from './terminal.ts';
import { grouped } from './terminal.ts';

/** Of a provider's sentence, in the table. */
const MESSAGE_CHARACTERS = 100;

/** A table of classes; `next` is a command to paste for each. */
export function sayGroups(
  groups: readonly FailureGroup[],
  next: (group: FailureGroup) => string,
  terminal: Terminal,
): void {
  const width = Math.max(5, ...groups.map((group) => group.class.length));
  terminal.data(` COUNT  ${'CLASS'.padEnd(width)}  RETRY  NEXT`);
  for (const group of groups) {
    const count = grouped(group.count).padStart(6);
    const retry = (group.retryable ? 'yes' : 'no').padEnd(5);
    terminal.data(`${count}  ${group.class.padEnd(width)}  ${retry}  ${next(group)}`);
    const ids = group.sampleIds.join(', ');
    terminal.data(`        ${cut(group.message)}${ids === '' ? '' : `  (${ids})`}`);
  }
}

type Failure = Pick<FailedLine, 'line' | 'customId' | 'class' | 'retryable' | 'message'>;

export function failureJson({ line, customId, class: name, retryable, message }: Failure): string {
  return JSON.stringify({ line, custom_id: customId, class: name, retryable, message });
}

export function failureLine({ line, customId, class: name, message }: Failure): string {
  return `line ${line}  ${customId ?? '–'}  ${name}  ${message}`;
}

function cut(message: string): string {
  const oneLine = message.replace(/\s+/g, ' ');
  return oneLine.length > MESSAGE_CHARACTERS ? `${oneLine.slice(0, MESSAGE_CHARACTERS)}…` : oneLine;
}
