/** Bugs that are planted one at a time: each has to be found. */

import { ANSWER_MUTATIONS } from './mutations-answers.ts';
import { BOUND_MUTATIONS } from './mutations-bounds.ts';
import { CREATE_MUTATIONS } from './mutations-creates.ts';
import { EDGE_MUTATIONS } from './mutations-edges.ts';
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
  ...BOUND_MUTATIONS,
  ...EDGE_MUTATIONS,
];
