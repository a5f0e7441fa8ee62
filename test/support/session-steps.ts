import fc from 'fast-check';
import {
  AUTHS,
  CLOSE_PAYLOADS,
  CLOSE_ROUTES,
  LIFETIMES,
  STRANGE_AUTHS,
  STRANGE_IDS,
} from './session-forms.js';

/** Mostly the first of these, which is as it should be. */
function oneOf<T>(forms: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 9, arbitrary: fc.constant(firstOf(forms)) }, fc.constantFrom(...forms));
}

function firstOf<T>([first]: readonly T[]): T {
  if (first === undefined) throw new Error('there is nothing to choose from');
  return first;
}

const create = fc.record({
  do: fc.constant('create' as const),
  isGenuine: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.constant(false)),
  auth: oneOf(AUTHS),
  lifetime: oneOf(LIFETIMES),
  route: oneOf(CLOSE_ROUTES),
  closePayload: oneOf(CLOSE_PAYLOADS),
  /** What stands before `payload`, which is there again: the last one counts. */
  before: fc.constantFrom(
    '',
    '"payload": 7, ',
    '"payload": {"lifetime": -1}, ',
    '"__proto__": {"payload": 1}, ',
  ),
});

/** Whose session is meant, counted from the first; beyond the last it is nobody's. */
const who = fc.oneof({ weight: 3, arbitrary: fc.nat(1) }, fc.nat(5));

const call = fc.record({
  do: fc.constantFrom('get' as const, 'health' as const, 'end' as const),
  isInternal: fc.oneof({ weight: 2, arbitrary: fc.constant(false) }, fc.constant(true)),
  who,
  id: fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, fc.constantFrom(...STRANGE_IDS)),
  auth: fc.constantFrom(
    ...(['its own', 'its own', 'turned round', "another's", 'more', 'less', 'strange'] as const),
  ),
  strange: fc.constantFrom(...STRANGE_AUTHS),
  isCut: fc.oneof({ weight: 30, arbitrary: fc.constant(false) }, fc.constant(true)),
});

const ask = fc.record({
  do: fc.constant('ask' as const),
  who,
  id: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, fc.constantFrom(...STRANGE_IDS)),
  isGenuine: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.constant(false)),
  tokens: fc.integer({ min: 1, max: 3 }),
});

export type Create = typeof create extends fc.Arbitrary<infer T> ? T : never;
export type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;
export type Ask = typeof ask extends fc.Arbitrary<infer T> ? T : never;
export type Step = Create | Call | Ask;

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof({ weight: 3, arbitrary: create }, { weight: 5, arbitrary: call }, { weight: 2, arbitrary: ask }),
  { maxLength: 30, size: 'max' },
);

/** Each form at least once, with all else as it should be: the random steps may miss one. */
export function* everyForm(): Generator<Step> {
  const proper: Create = {
    do: 'create',
    isGenuine: true,
    auth: firstOf(AUTHS),
    lifetime: firstOf(LIFETIMES),
    route: firstOf(CLOSE_ROUTES),
    closePayload: firstOf(CLOSE_PAYLOADS),
    before: '',
  };
  for (const auth of AUTHS) yield { ...proper, auth };
  for (const lifetime of LIFETIMES) yield { ...proper, lifetime };
  for (const route of CLOSE_ROUTES) yield { ...proper, route };
  for (const closePayload of CLOSE_PAYLOADS) yield { ...proper, closePayload };
  yield proper;
  const about = {
    isInternal: false,
    who: 0,
    id: null,
    auth: 'its own',
    strange: 'null',
    isCut: false,
  } as const;
  for (const name of ['get', 'health', 'end'] as const) {
    for (const id of STRANGE_IDS) yield { ...about, do: name, id };
    for (const strange of STRANGE_AUTHS) yield { ...about, do: name, auth: 'strange', strange };
  }
  yield { ...about, do: 'end', isInternal: true, auth: 'strange' };
  for (const id of STRANGE_IDS) yield { do: 'ask', who: 0, id, isGenuine: true, tokens: 1 };
}
