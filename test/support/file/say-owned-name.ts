/** A program that prints a name of its own and ends. */

import { ownedName } from '../../../src/adapters/file/owner.ts';

console.log(ownedName('write'));
