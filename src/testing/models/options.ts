import { parseArgs } from 'node:util';
import { parseDuration } from '../../duration.js';
import { type Behaviour, parseBehaviour } from './behaviour.js';
import { isKindName, KINDS, type KindName } from './kinds.js';
import { isPreset, PRESETS, type Preset } from './presets.js';

export const USAGE = `usage: main.ts <${Object.keys(KINDS).join(' | ')}>
  --port <n>          0 takes any free one (default)
  --log <file>        the engine's log; - is the standard output
  --load-time <time>  such as 500ms: so long it answers 503
  --preset <engine>   whose log it is: ${Object.keys(PRESETS).join(', ')}
  --name <name>       the name of the model
  --behave <json>     such as {"tokensPerSecond": 50}; more of these may come on standard input, one a line
  --control <port>    more of these may be posted there; 0 takes any free one
  --report            tells of each request on standard output`;

export interface ProgramOptions {
  readonly kind: KindName;
  readonly port: number;
  readonly logFile: string | undefined;
  readonly loadTimeMs: number;
  readonly preset: Preset | undefined;
  readonly modelName: string | undefined;
  readonly behaviour: Behaviour;
  /** Undefined: there is none. */
  readonly controlPort: number | undefined;
  readonly report: boolean;
}

/** @throws with what is wrong, in words */
export function readOptions(args: readonly string[]): ProgramOptions {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      port: { type: 'string', default: '0' },
      log: { type: 'string' },
      'load-time': { type: 'string', default: '0ms' },
      preset: { type: 'string' },
      name: { type: 'string' },
      behave: { type: 'string', default: '{}' },
      control: { type: 'string' },
      report: { type: 'boolean', default: false },
    },
  });
  const [kind = '', ...more] = positionals;
  if (!isKindName(kind) || more.length > 0) throw new Error('one kind of model server is needed');
  return {
    kind,
    port: portOf('--port', values.port),
    controlPort: values.control === undefined ? undefined : portOf('--control', values.control),
    logFile: values.log,
    loadTimeMs: durationOf(values['load-time']),
    preset: presetOf(values.preset),
    modelName: values.name,
    behaviour: parseBehaviour(values.behave),
    report: values.report,
  };
}

function portOf(option: string, text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new Error(`${option} takes a number up to 65535`);
  return Number(text);
}

function durationOf(text: string): number {
  if (text === '0ms') return 0;
  const ms = parseDuration(text);
  if (ms === undefined) throw new Error('--load-time takes a time such as 500ms');
  return ms;
}

function presetOf(name: string | undefined): Preset | undefined {
  if (name === undefined || isPreset(name)) return name;
  throw new Error(`--preset takes one of ${Object.keys(PRESETS).join(', ')}`);
}
