/** A program that dies with a scratch folder: `leave-scratch.ts <root>` prints its path. */

import { writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { createFileScratch } from '../../../src/adapters/file/scratch.ts';

const folder = await createFileScratch(process.argv[2] ?? '').makeFolder('settle');
writeFileSync(join(folder, 'answers.jsonl'), '{}\n');
writeSync(1, folder);
