/** The body of an embeddings answer: unit vectors of the model's dimensions. */

import type { Draws } from '../random.ts';
import type { Made, Prompt } from './prompt.ts';

const DIMENSIONS: Readonly<Record<string, number>> = {
  'text-embedding-3-small': 1536,
  'text-embedding-3-large': 3072,
  'text-embedding-ada-002': 1536,
};
const USUAL_DIMENSIONS = 1536;

/** Honours dimensions, encoding_format and lists of inputs. */
export function embedding(prompt: Prompt): Made {
  const { body, model, draws, inputTokens } = prompt;
  const asked = body['input'];
  const count = Array.isArray(asked) && typeof asked[0] !== 'number' ? asked.length : 1;
  const dimensions = Number(body['dimensions'] ?? DIMENSIONS[model] ?? USUAL_DIMENSIONS);
  const data = Array.from({ length: count }, (_, index) => {
    const vector = unitVector(dimensions, draws);
    const isBase64 = body['encoding_format'] === 'base64';
    return { object: 'embedding', index, embedding: isBase64 ? toBase64(vector) : vector };
  });
  return {
    outputTokens: 0,
    body: {
      object: 'list',
      data,
      model,
      usage: { prompt_tokens: inputTokens, total_tokens: inputTokens },
    },
  };
}

function unitVector(dimensions: number, draws: Draws): number[] {
  const vector = Array.from({ length: dimensions }, () => draws.next() - 0.5);
  const length = Math.hypot(...vector.map((value) => value)) || 1;
  return vector.map((value) => Math.round((value / length) * 1e8) / 1e8);
}

/** Float32, little-endian. */
function toBase64(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4);
  vector.forEach((value, index) => bytes.writeFloatLE(value, index * 4));
  return bytes.toString('base64');
}
