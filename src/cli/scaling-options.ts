import { Option } from 'commander';
import type { EndpointSettings } from '../autoscaler/index.js';
import { KNOBS, type KnobName, SetupError, setupOf, type Turned } from '../simulate/setup.js';
import { UserError } from './exit.js';

/** The settings of an endpoint that `dev` takes, and what stands for the value of each in the help. */
const PLACEHOLDERS = {
  'min-load': 'units/s',
  'target-util': 'share',
  'cold-mult': 'times',
  'min-cold-load': 'units/s',
  'cold-workers': 'count',
  'min-workers': 'count',
  'max-workers': 'count',
  'inactivity-timeout': 'duration',
  'target-queue-time': 'duration',
  'max-queue-time': 'duration',
} as const satisfies Partial<Record<KnobName, string>>;

type Name = keyof typeof PLACEHOLDERS;

const NAMES = Object.keys(PLACEHOLDERS) as Name[];

/** A machine on a desk has room for few, and is to rest when nobody asks. The others are as of a rented endpoint. */
const DEFAULTS: Turned = {
  'min-workers': '0',
  'cold-workers': '0',
  'max-workers': '4',
  'inactivity-timeout': '60s',
};

/** The options of `dev` that have it start and stop workers. None has a default of its own: any of them is the wish. */
export function scalingOptions(): Option[] {
  return NAMES.map((name) => {
    const { about, fallback } = KNOBS[name];
    const option = new Option(
      `--${name} <${PLACEHOLDERS[name]}>`,
      `Scale. ${about} (${DEFAULTS[name] ?? fallback})`,
    );
    option.attributeName = () => attributeOf(name);
    return option;
  });
}

/**
 * What was wished of the fleet; undefined: nothing was.
 *
 * @throws {UserError}
 */
export function scalingOf(options: Readonly<Record<string, unknown>>): EndpointSettings | undefined {
  const given: Turned = Object.fromEntries(
    NAMES.flatMap((name) => {
      const text = options[attributeOf(name)];
      return typeof text === 'string' ? [[name, text]] : [];
    }),
  );
  if (Object.keys(given).length === 0) return undefined;
  try {
    return setupOf({ ...DEFAULTS, ...given });
  } catch (error) {
    if (error instanceof SetupError) throw new UserError(`${asOptions(error.message)}.`);
    throw error;
  }
}

/** Names of settings become those of options. What somebody gave may look like one, and stays as it is. */
function asOptions(message: string): string {
  return message.replace(/"([a-z-]+)"/g, (quoted, name: string) =>
    Object.hasOwn(PLACEHOLDERS, name) ? `--${name}` : quoted,
  );
}

function attributeOf(name: Name): string {
  return `scaling:${name}`;
}
