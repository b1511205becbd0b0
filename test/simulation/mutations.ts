/** Bugs that are planted one at a time: the simulation has to find each of them. */

import { ANSWER_MUTATIONS } from './mutations-answers.ts';
import { CREATE_MUTATIONS } from './mutations-creates.ts';
import { HOUSE_MUTATIONS } from './mutations-house.ts';

export interface Mutation {
  readonly name: string;
  readonly file: string;
  /** Must stand in the file exactly once. */
  readonly from: string;
  readonly to: string;
  /** Where no simulated world goes: the tests that have to find it instead. */
  readonly tests?: string;
}

export const MUTATIONS: readonly Mutation[] = [
  ...CREATE_MUTATIONS,
  ...ANSWER_MUTATIONS,
  ...HOUSE_MUTATIONS,
];
