import type { AnyStateMachine } from 'xstate';
import { nameOf } from './transitions.js';

/**
 * A machine as the JSON of its config: `createMachine` makes an equal machine of it, and Stately's editor
 * opens it. Guards, actions and actors are there by their names; what they do is not.
 */
export function toConfigJson(machine: AnyStateMachine): string {
  return `${JSON.stringify(machine.config, named, 2)}\n`;
}

/** Functions that only compute what goes along: without their guard or action they are of no use. */
const COMPUTED = new Set(['context', 'input', 'params', 'output', 'delay', 'to', 'event']);

function named(key: string, value: unknown): unknown {
  if (key === 'src' && typeof value !== 'string') return 'inline';
  if (typeof value !== 'function') return value;
  return COMPUTED.has(key) ? undefined : { type: nameOf(value) };
}
