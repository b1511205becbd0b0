import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { boundaryOf, type PartHead, readMultipart } from '../../src/simulator/files/multipart.ts';

interface Part extends PartHead {
  readonly content: string;
}

async function read(bytes: Buffer, cuts: readonly number[]): Promise<Part[]> {
  const parts: Part[] = [];
  await readMultipart(pieces(bytes, cuts), 'bound', (head) => {
    let content = '';
    return {
      write: (chunk) => {
        content += chunk.toString('latin1');
      },
      end: () => {
        parts.push({ ...head, content });
      },
    };
  });
  return parts;
}

async function* pieces(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer> {
  let start = 0;
  for (const cut of cuts.map((at) => at % (bytes.length + 1)).toSorted((a, b) => a - b)) {
    yield bytes.subarray(start, cut);
    start = cut;
  }
  yield bytes.subarray(start);
}

function write(parts: readonly Part[]): Buffer {
  const texts = parts.map(({ name, filename, content }) => {
    const file = filename === null ? '' : `; filename="${filename}"`;
    return `--bound\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${content}\r\n`;
  });
  return Buffer.from(`preamble\r\n${texts.join('')}--bound--\r\nepilogue`, 'latin1');
}

test('whatever the parts and wherever the stream is torn, the same parts come out', async () => {
  const word = fc.stringMatching(/^[a-z]{1,8}$/);
  // Fragments of the delimiter, which is what a careless search trips over.
  const fragment = fc.constantFrom(
    '\r',
    '\n',
    '\r\n',
    '-',
    '--',
    '\r\n--',
    '\r\n--boun',
    'bound',
    'x',
  );
  const part = fc.record({
    name: word,
    filename: fc.option(word),
    content: fc
      .array(fragment, { maxLength: 12 })
      .map((texts) => texts.join(''))
      .filter((text) => !`\r\n${text}\r`.includes('\r\n--bound')),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat()),
      async (parts, cuts) => {
        expect(await read(write(parts), cuts)).toEqual(parts);
      },
    ),
    { numRuns: 400 },
  );
});

test('a stream that ends early is refused', async () => {
  const whole = write([{ name: 'a', filename: null, content: 'b' }]);
  for (let length = 0; length < whole.indexOf('--bound--') + 9; length++) {
    await expect(read(whole.subarray(0, length), [])).rejects.toThrow('multipart');
  }
});

test('the boundary is read from the header, quoted or not', () => {
  expect(boundaryOf('multipart/form-data; boundary=abc')).toBe('abc');
  expect(boundaryOf('Multipart/Form-Data; charset=x; boundary="a b"')).toBe('a b');
  expect(boundaryOf('application/json')).toBeNull();
  expect(boundaryOf(undefined)).toBeNull();
});
