/** The body of a moderation. */

import type { Draws } from '../random.ts';
import type { Made, Prompt } from './prompt.ts';

const CATEGORIES = [
  'harassment',
  'harassment/threatening',
  'hate',
  'hate/threatening',
  'illicit',
  'illicit/violent',
  'self-harm',
  'self-harm/intent',
  'self-harm/instructions',
  'sexual',
  'sexual/minors',
  'violence',
  'violence/graphic',
];
const FLAG_ABOVE = 0.98;

/** One result for each text, or one for a list of typed parts. */
export function moderation(prompt: Prompt): Made {
  const asked = prompt.body['input'];
  const count = Array.isArray(asked) && typeof asked[0] === 'string' ? asked.length : 1;
  const results = Array.from({ length: count }, () => result(prompt.draws));
  return {
    outputTokens: 0,
    body: { id: `modr-${prompt.id}`, model: prompt.model, results },
  };
}

function result(draws: Draws): unknown {
  const scores = CATEGORIES.map((name): [string, number] => [name, draws.next()]);
  const flags = scores.map(([name, score]): [string, boolean] => [name, score > FLAG_ABOVE]);
  const types = CATEGORIES.map((name): [string, string[]] => [name, ['text']]);
  return {
    flagged: flags.some(([, flag]) => flag),
    categories: Object.fromEntries(flags),
    category_scores: Object.fromEntries(scores),
    category_applied_input_types: Object.fromEntries(types),
  };
}
