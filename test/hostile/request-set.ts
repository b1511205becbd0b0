/** A mixed request set: two models, ids that careless code trips over, bad and blank lines. */

import type { Chance } from './chance.ts';

export interface InputLine {
  /** Its bytes as text, without the newline. */
  readonly text: string;
  /** Null: the line is bad, and is answered by an error line. */
  readonly customId: string | null;
}

const MODELS = ['gpt-4o-mini', 'llama-3:8b/é'];
const ODDITIES = ['plain', 'é\u2028ü', '日本語🙂', 'a"b\\c', '__proto__', '\u0000\u001f', ' x '];
const BAD = ['{"custom_id":"bad"', '[1]', '{"custom_id":7,"method":"POST"}', '{"custom_id":"b"}'];

/** Lines of the input that have an answer line: blank ones are left out. */
export function requestSet(chance: Chance): { input: string; lines: InputLine[] } {
  const count = chance.whole(30, 90, 'requests');
  const lines: InputLine[] = [];
  const texts: string[] = [];
  for (let index = 0; index < count; index += 1) {
    if (chance.is(0.04, 'bad', index)) {
      const text = chance.pick(BAD, 'which', index);
      lines.push({ text, customId: null });
      texts.push(text);
    }
    if (chance.is(0.02, 'blank', index)) texts.push('');
    const line = request(chance, index);
    lines.push(line);
    texts.push(line.text);
  }
  return { input: texts.map((text) => `${text}\n`).join(''), lines };
}

function request(chance: Chance, index: number): InputLine {
  const customId = `${chance.pick(ODDITIES, 'id', index)}-${index}`;
  const model = chance.pick(MODELS, 'model', index);
  const id = JSON.stringify(customId).replaceAll('é', chance.pick(['é', '\\u00e9'], 'é', index));
  const content = `Zürich \u2028 😀 \u2029 ${index}`;
  const messages = `"messages":[{"role":"user","content":"${content}"}]`;
  const body = `{"model":"${model}","seed":12345678901234567890,"temperature":1.0,${messages}}`;
  const url = '"url":"/v1/chat/completions"';
  return { text: `{"custom_id": ${id},"method":"POST",${url},"body":${body} }`, customId };
}
