import type { ScalingSettings } from '../../machines/scaling.js';
import {
  amount,
  count,
  duration,
  inactivity,
  integer,
  limit,
  type SettingType,
  share,
} from '../config/types.js';

/** What is tried: the settings of the policy and of routing, how long workers take, and how patient clients are. */
export interface Setup extends ScalingSettings {
  /** A worker that has more to do than this gets no more. */
  readonly maxQueueTimeMs: number;
  /** How long a client waits for a worker before it gives up. */
  readonly clientTimeoutMs: number;
  /** From the decision to have a new worker until its machine is there, and from then until its model has loaded. */
  readonly createTimeMs: number;
  readonly loadTimeMs: number;
  /** From the decision that an inactive worker is to work until it does. */
  readonly startTimeMs: number;
}

interface Knob<Name extends keyof Setup> {
  readonly of: Name;
  readonly type: SettingType<Setup[Name]>;
  readonly fallback: string;
  readonly about: string;
}

function knob<Name extends keyof Setup>(
  of: Name,
  type: SettingType<Setup[Name]>,
  fallback: string,
  about: string,
): Knob<Name> {
  return { of, type, fallback, about };
}

/** Every knob by the name that it has on the command line. Defaults are those of a rented endpoint where it has any. */
export const KNOBS = {
  'min-load': knob('minLoad', amount, '1', 'Units/s that capacity is kept for, whatever comes.'),
  'target-util': knob('targetUtil', share, '0.9', 'How much of the capacity the load may take.'),
  'cold-mult': knob(
    'coldMult',
    amount,
    '3',
    'Workers are kept, inactive ones included, for so many times the load.',
  ),
  'min-cold-load': knob('minColdLoad', amount, '0', 'Units/s that they are kept for at least.'),
  'cold-workers': knob('coldWorkers', integer, '0', 'So many are inactive beside those that the load wants.'),
  'min-workers': knob('minWorkers', integer, '5', 'So many there are at least, inactive ones included.'),
  'max-workers': knob('maxWorkers', count, '16', 'So many there are at most.'),
  'inactivity-timeout': knob(
    'inactivityTimeoutMs',
    inactivity,
    'off',
    'After so long without a request all are let go; off: where min-load is 0; never: one stays.',
  ),
  'target-queue-time': knob(
    'targetQueueTimeMs',
    duration,
    '10s',
    'More are started when work would wait for longer.',
  ),
  'max-queue-time': knob(
    'maxQueueTimeMs',
    limit,
    '30s',
    'A worker that has more to do than this gets no more.',
  ),
  'client-timeout': knob(
    'clientTimeoutMs',
    duration,
    '5m',
    'A client that waits for a worker for so long gives up.',
  ),
  'create-time': knob('createTimeMs', duration, '30s', 'Until the machine of a new worker is there.'),
  'load-time': knob('loadTimeMs', duration, '2m', 'From then on, until it has loaded its model.'),
  'start-time': knob('startTimeMs', duration, '15s', 'Until an inactive worker works again.'),
} as const;

export type KnobName = keyof typeof KNOBS;

const ALL = Object.entries(KNOBS) as [KnobName, Knob<keyof Setup>][];

/** Some knobs as text, each turned to something: `target-util=0.7,max-workers=20`. */
export type Turned = Partial<Record<KnobName, string>>;

/** What is wrong with knobs, in a sentence. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}

/** @throws {SetupError} */
export function parseTurned(text: string): Turned {
  const turned: Turned = {};
  for (const part of text.split(/[\s,]+/).filter((each) => each !== '')) {
    const [, name, value] = /^([^=]+)=(.+)$/.exec(part) ?? [];
    if (name === undefined || value === undefined) {
      throw new SetupError(`"${part}" has not the form of a setting; it takes some such as target-util=0.7`);
    }
    if (!isKnob(name))
      throw new SetupError(`there is no setting "${name}"; it takes ${Object.keys(KNOBS).join(', ')}`);
    if (turned[name] !== undefined) throw new SetupError(`"${name}" is given twice`);
    turned[name] = value;
  }
  return turned;
}

/**
 * What is tried, where these knobs are turned and the others are as they come.
 *
 * @throws {SetupError}
 */
export function setupOf(turned: Turned): Setup {
  const parts = ALL.map(([name, { of, type, fallback }]) => {
    const text = turned[name] ?? fallback;
    const result = type.schema.safeParse(text);
    if (!result.success) throw new SetupError(`"${name}" is "${text}"; it takes ${type.takes}`);
    return [of, result.data] as const;
  });
  const setup = Object.fromEntries(parts) as unknown as Setup;
  if (setup.minWorkers > setup.maxWorkers) {
    throw new SetupError(
      `"min-workers" is ${setup.minWorkers}, more than "max-workers", which is ${setup.maxWorkers}`,
    );
  }
  return setup;
}

/** Every knob as it stands. */
export function standingOf(turned: Turned): Readonly<Record<KnobName, string>> {
  return Object.fromEntries(ALL.map(([name, { fallback }]) => [name, turned[name] ?? fallback])) as Record<
    KnobName,
    string
  >;
}

function isKnob(name: string): name is KnobName {
  return Object.hasOwn(KNOBS, name);
}
