/** Writes a batch's output and error file, with everything that can be wrong in them. */

import { createHash } from 'node:crypto';
import type { Batch, Execution, Ledger } from './ledger.ts';
import type { Mischief } from './mischief.ts';

interface Written {
  readonly text: string;
  readonly toErrors: boolean;
  /** The request that it answers well; null: it is no success of this batch. */
  readonly answers: string | null;
}

export interface AnswerFiles {
  readonly output: Buffer | null;
  readonly errors: Buffer | null;
}

/** Works on one request line and writes it into the ledger. */
export function execute(line: string, batch: Batch, ledger: Ledger, mischief: Mischief): void {
  const { chance } = mischief;
  const request = JSON.parse(line) as { custom_id: string; body: { model: string } };
  const customId = request.custom_id;
  const times = ledger.executions(customId).length + 1;
  const key = [customId, times] as const;
  if (mischief.happens('gaps', ...key)) return;
  const isFinal = chance.is(0.05, 'final', customId);
  const fails = !isFinal && times <= 2 && chance.is(0.12, 'fails', ...key);
  const success = !isFinal && !fails;
  const id = idText(customId, chance.whole(0, 2, 'id', ...key));
  const text = success
    ? successLine(id, request.body.model, `${batch.number} ${times}`)
    : failureLine(id, isFinal ? 400 : chance.pick([500, 429, 503, 0], 'status', ...key));
  const dropped = success && mischief.happens('dropped_success', ...key);
  const garbled = success && !dropped && mischief.happens('garbled_success', ...key);
  const written = garbled ? text.slice(0, text.length / 2) : text;
  const readable = success && !dropped && !garbled;
  const entry = { customId, batch, line: dropped ? null : written, success, billed: success };
  ledger.add({ ...entry, readable });
}

/** The files of a batch that has ended; fills in which of its successes can be read. */
export function answerFiles(batch: Batch, ledger: Ledger, mischief: Mischief): AnswerFiles {
  const written = batch.executed.flatMap((one) => linesOf(one, batch, ledger, mischief));
  const worked = new Set(batch.executed.map((one) => one.customId));
  if (batch.status === 'expired' && mischief.chance.is(0.6, 'expired lines', batch.number)) {
    written.push(...expiredLines(batch, worked));
  }
  const shuffled = mischief.chance.shuffled(written, 'order', batch.number);
  const output = shuffled.filter((one) => !one.toErrors);
  const errors = shuffled.filter((one) => one.toErrors);
  // Where a success was counted there is an output file, if an empty one.
  const owesOutput = batch.status === 'completed' || batch.executed.some((one) => one.success);
  for (const { text, answers, toErrors } of [...output, ...errors]) {
    if (answers === null) continue;
    const known = batch.successes.get(answers) ?? [];
    batch.successes.set(answers, [...known, { text, inErrors: toErrors }]);
  }
  return {
    output: output.length > 0 || owesOutput ? bytesOf(output, batch, mischief, 'output') : null,
    errors: errors.length > 0 ? bytesOf(errors, batch, mischief, 'errors') : null,
  };
}

function linesOf(one: Execution, batch: Batch, ledger: Ledger, mischief: Mischief): Written[] {
  const { customId, success, readable, line } = one;
  const key = [batch.number, customId] as const;
  const split = mischief.happens('split_files', ...key);
  const toErrors = split ? success : !success;
  const own = { text: line ?? '', toErrors, answers: readable ? customId : null };
  const lines: Written[] = line === null ? [] : [own];
  if (line !== null && mischief.happens('duplicates', ...key)) {
    lines.push({ ...own, toErrors: mischief.chance.is(0.5, 'copy', ...key) });
  }
  if (readable && mischief.happens('conflicts', ...key)) {
    const isSecond = mischief.chance.is(0.5, 'second', ...key);
    const id = JSON.stringify(customId);
    const text = isSecond ? successLine(id, 'other', 'conflict') : failureLine(id, 500);
    const elsewhere = mischief.chance.is(0.5, 'elsewhere', ...key);
    lines.push({ text, toErrors: elsewhere, answers: isSecond ? customId : null });
  }
  if (mischief.happens('strangers', ...key)) {
    const foreign = strangerId(batch, ledger, mischief, customId);
    lines.push({ text: successLine(foreign, 'm', 'stranger'), toErrors: false, answers: null });
  }
  if (mischief.happens('garbage', ...key)) {
    const texts = ['{"custom_id":', 'null', '<html>', '[]', '{"id":"x","response":null}'];
    const text = mischief.chance.pick(texts, 'garbage', ...key);
    lines.push({ text, toErrors: false, answers: null });
  }
  return lines;
}

/** An id of nobody, or of a request that only batches of another chunk have held. */
function strangerId(batch: Batch, ledger: Ledger, mischief: Mischief, near: string): string {
  const isElsewhere = (id: string): boolean =>
    ledger.executions(id).every((one) => one.batch.metadata['chunk'] !== batch.metadata['chunk']);
  const others = ledger.ids().filter(isElsewhere);
  const known = others.length > 0 && mischief.chance.is(0.5, 'foreign', batch.number, near);
  return JSON.stringify(known ? mischief.chance.pick(others, 'whose', near) : `nobody ${near}`);
}

function expiredLines(batch: Batch, worked: ReadonlySet<string>): Written[] {
  const error = '"error":{"code":"batch_expired","message":"This request could not be executed."}';
  return batch.lines
    .map(idIn)
    .filter((id) => !worked.has(id))
    .map((id) => ({
      text: `{"id":"x","custom_id":${JSON.stringify(id)},"response":null,${error}}`,
      toErrors: true,
      answers: null,
    }));
}

/** The custom_id of a request line. */
export function idIn(line: string): string {
  return (JSON.parse(line) as { custom_id: string }).custom_id;
}

function bytesOf(lines: readonly Written[], batch: Batch, mischief: Mischief, file: string) {
  const key = [batch.number, file] as const;
  const odd = mischief.happens('other_line_ends', ...key);
  const end = odd && mischief.chance.is(0.5, 'blank', ...key) ? '\n\n' : '\n';
  const mark = odd ? '\uFEFF' : '';
  const text = mark + lines.map((one) => one.text + end).join('');
  const cut = lines.length > 0 && mischief.happens('no_last_newline', ...key);
  return Buffer.from(cut ? text.trimEnd() : text);
}

/** The same id, as different encoders write it. */
function idText(id: string, style: number): string {
  const plain = JSON.stringify(id);
  if (style === 0) return plain;
  const escape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  if (style === 1) return plain.replaceAll(/[^\u0020-\u007e]/g, escape);
  return `"${id.split('').map(escape).join('')}"`;
}

/** Numbers, separators and spaces that a parser would not give back as they were. */
function successLine(id: string, model: string, salt: string): string {
  const hash = createHash('sha256').update(`${id} ${salt}`).digest('hex').slice(0, 32);
  const usage = '"usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}';
  const message = `{"role":"assistant","content":"né \u2028 ${hash} 😀 \\u00e9"}`;
  const choices = `"choices":[{"index":0,"message":${message},"finish_reason":"stop"}]`;
  const body = `{"id":"c-${hash}","seed":12345678901234567890,"t":1.0, ${choices},`;
  const response = `${body}"model":${JSON.stringify(model)},${usage}}`;
  const head = `{"id":"batch_req_${hash}","custom_id":${id},"response":{"status_code":200,`;
  return `${head}"request_id":"${hash}","body":${response}},"error":null}`;
}

function failureLine(id: string, status: number): string {
  const code = status === 400 ? 'context_length_exceeded' : 'server_error';
  const error = `{"message":"It did not work.","type":"t","param":null,"code":"${code}"}`;
  const response = `{"status_code":${status},"request_id":"r","body":{"error":${error}}}`;
  return `{"id":"batch_req_f","custom_id":${id},"response":${response},"error":null}`;
}
