/** A call of each operation to paste into a shell. */

import type { JsonSchema, Operation, Parameter } from '../openapi.ts';

/** What stands for a parameter's value, where its name says too little. */
const SAMPLES: Readonly<Record<string, string>> = {
  job: 'job_01k…',
  file: 'file-01k…',
  batch: 'batch_01k…',
  model: 'gpt-4.1-mini',
  name: 'tickets',
  endpoint: '/v1/responses',
  input_file_id: 'file-01k…',
  completion_window: '24h',
};

/** Several lines, as they are typed. */
export function curlOf(method: string, path: string, operation: Operation): string {
  const named = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => sample(name));
  const url = `"$BATCHWRIGHT_URL${named}${requiredQuery(operation.parameters ?? [])}"`;
  const { flags, impliesPost } = bodyOf(operation);
  const command = method === 'get' || impliesPost ? 'curl' : `curl -X ${method.toUpperCase()}`;
  return [command, ...keyFlags(operation), ...flags, url].join(' \\\n  ');
}

function keyFlags(operation: Operation): string[] {
  if (operation['x-access'] === 'public') return [];
  return ['-H "Authorization: Bearer $BATCHWRIGHT_API_KEY"'];
}

/** What sends the body; some of it makes a POST by itself. */
function bodyOf({ requestBody }: Operation): { flags: string[]; impliesPost: boolean } {
  const { content = {}, required = false } = requestBody ?? {};
  const stream = Object.keys(content).find((type) => /jsonl|ndjson/.test(type));
  if (stream !== undefined) {
    // --data-binary would read the whole file into memory first.
    const flags = [`-H "Content-Type: ${stream}"`, '-T requests.jsonl'];
    return { flags, impliesPost: false };
  }
  if ('multipart/form-data' in content) {
    return { flags: ['-F purpose=batch', '-F file=@requests.jsonl'], impliesPost: true };
  }
  const json = content['application/json'];
  if (json === undefined || !required) return { flags: [], impliesPost: false };
  return { flags: [`--json '${JSON.stringify(sampleOf(json.schema))}'`], impliesPost: true };
}

/** The required fields of the body. */
function sampleOf(schema: JsonSchema): Record<string, unknown> {
  const required = (schema['required'] ?? []) as readonly string[];
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>;
  return Object.fromEntries(
    required.map((name) => [name, properties[name]?.['const'] ?? sample(name)]),
  );
}

function requiredQuery(parameters: readonly Parameter[]): string {
  const needed = parameters.filter((one) => one.in === 'query' && one.required);
  const pairs = needed.map(({ name }) => `${name}=${sample(name)}`);
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

function sample(name: string): string {
  return SAMPLES[name] ?? '…';
}
