/** Server-sent events out of the bytes of an answer. */

import { StrangeAnswer } from './problems.ts';

/** An event is a line or two; what is longer is none of the service's. */
const MAX_CHARACTERS = 1_000_000;

export interface ServerEvent {
  /** Null: the event has none, and a new connection goes on from the one before. */
  readonly id: string | null;
  readonly event: string;
  readonly data: string;
}

/** The events in their order; comments and hints are left out. */
export async function* readEvents(blocks: AsyncIterable<Buffer>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const block of blocks) {
    text = (text + decoder.decode(block, { stream: true })).replaceAll('\r\n', '\n');
    let end = text.indexOf('\n\n');
    for (; end >= 0; end = text.indexOf('\n\n')) {
      const event = eventIn(text.slice(0, end).split('\n'));
      text = text.slice(end + 2);
      if (event !== null) yield event;
    }
    if (text.length > MAX_CHARACTERS) throw new StrangeAnswer('an event without an end');
  }
}

/** Null: the lines are a heartbeat, or say nothing. */
function eventIn(lines: readonly string[]): ServerEvent | null {
  let id: string | null = null;
  let event = 'message';
  const data: string[] = [];
  for (const line of lines) {
    const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (field === 'id') id = value;
    if (field === 'event') event = value;
    if (field === 'data') data.push(value);
  }
  return data.length === 0 && event === 'message' ? null : { id, event, data: data.join('\n') };
}
