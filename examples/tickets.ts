/** Makes a synthetic classification set: support tickets, two models, a few broken lines. */

const PRODUCTS = ['card', 'transfer', 'top-up', 'exchange rate', 'PIN', 'Überweisung', 'カード'];
const TROUBLES = [
  'has not arrived after two weeks',
  'was charged twice',
  'is still pending',
  'was declined at the café',
  'shows the wrong amount – 17,50 €',
  'cannot be found in the app 😕',
];
const INTENTS = ['card_arrival', 'double_charge', 'pending', 'declined', 'wrong_amount', 'other'];

/** One broken line in so many. */
const BROKEN_EVERY = 997;

/** JSON Lines, the same for the same seed; every third ticket goes to the larger model. */
export function makeTickets(count: number, seed: number): string {
  const random = randomFrom(seed);
  const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)] ?? '';
  const lines: string[] = [];
  for (let number = 1; number <= count; number += 1) {
    const ticket = `Ticket ${number}: my ${pick(PRODUCTS)} ${pick(TROUBLES)}.`;
    lines.push(number % BROKEN_EVERY === 0 ? broken(number, ticket) : request(number, ticket));
  }
  return `${lines.join('\n')}\n`;
}

function request(number: number, ticket: string): string {
  return JSON.stringify({
    custom_id: `ticket-${number}`,
    method: 'POST',
    url: '/v1/chat/completions',
    body: {
      model: number % 3 === 0 ? 'gpt-5' : 'gpt-5-nano',
      messages: [
        { role: 'system', content: 'Name the intent of the ticket.' },
        { role: 'user', content: ticket },
      ],
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'intent', strict: true, schema: INTENT_SCHEMA },
      },
    },
  });
}

const INTENT_SCHEMA = {
  type: 'object',
  properties: { intent: { type: 'string', enum: INTENTS } },
  required: ['intent'],
  additionalProperties: false,
};

/** A line as an export script might leave it. */
function broken(number: number, ticket: string): string {
  if (number % 2 === 0) return `{"custom_id":"ticket-${number}","body":{"input":"${ticket}"`;
  const body = { model: 'gpt-5-nano', stream: true, messages: [] };
  const url = '/v1/chat/completions';
  return JSON.stringify({ custom_id: `ticket-${number}`, method: 'POST', url, body });
}

/** A small generator (mulberry32): the demo shall look the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
