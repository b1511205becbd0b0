/** Makes request sets of the usual shape: chat lines of 1.3 KB, 13 % of them not English. */

import { closeSync, openSync, writeSync } from 'node:fs';

const ENGLISH =
  'my card has not arrived yet and the app says that the order was delivered last Tuesday ' +
  'so could you please tell me what I should do now because I am travelling next week ' +
  'the transfer is pending since yesterday although the balance was enough to cover the fee';
const OTHERS = [
  '我的卡还没有到 但是应用显示订单已经送达 请告诉我现在应该怎么办 因为下周我要去旅行',
  'моя карта ещё не пришла но в приложении написано что заказ доставлен что мне делать',
  'मेरा कार्ड अभी तक नहीं आया है लेकिन ऐप में लिखा है कि ऑर्डर पहुँच गया है',
];
const SYSTEM = 'You sort customer messages. Answer with "category" and nothing else.\nBe brief.';
const BODIES = 1000;
const TEXT_BYTES = 960;
const BATCH_LINES = 2000;

/** Writes `lines` request lines; the same for the same seed. Returns the file's size in bytes. */
export function makeRequestSet(path: string, lines: number, seed: number): number {
  const random = generator(seed);
  const bodies = Array.from({ length: BODIES }, () => body(random));
  const fd = openSync(path, 'wx');
  let sizeBytes = 0;
  for (let from = 0; from < lines; from += BATCH_LINES) {
    const parts: string[] = [];
    for (let line = from; line < Math.min(lines, from + BATCH_LINES); line += 1) {
      const chosen = bodies[random() % BODIES] ?? '';
      const id = `req-${String(line).padStart(9, '0')}-${(random() % 0xffff).toString(16)}`;
      parts.push(
        `{"custom_id":"${id}","method":"POST","url":"/v1/chat/completions","body":${chosen}}\n`,
      );
    }
    sizeBytes += writeSync(fd, Buffer.from(parts.join('')));
  }
  closeSync(fd);
  return sizeBytes;
}

function body(random: () => number): string {
  const source = random() % 100 < 13 ? OTHERS[random() % OTHERS.length] : ENGLISH;
  const words = (source ?? ENGLISH).split(' ');
  const size = TEXT_BYTES / 2 + (random() % TEXT_BYTES);
  let text = '';
  while (Buffer.byteLength(text) < size) {
    text += `${words[random() % words.length]}${random() % 40 === 0 ? '\n' : ' '}`;
  }
  const messages = [
    { role: 'system', content: SYSTEM },
    { role: 'user', content: text },
  ];
  return JSON.stringify({ model: 'gpt-4o-mini', messages, max_tokens: 20, temperature: 0 });
}

/** Unsigned 32-bit numbers from a seed (xorshift). */
function generator(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
