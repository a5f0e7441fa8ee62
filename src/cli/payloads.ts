import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { type CompiledRoute, workloadOf } from '../backend/index.js';
import { messageInLine, messageOf } from '../errors.js';
import type { Payload, Payloads } from '../load/target.js';
import { UserError } from './exit.js';
import type { Io } from './io.js';
import { loadBackend } from './load-backend.js';
import { loadSettings, settings } from './settings.js';

/** What is sent, and where it comes from. */
export interface PayloadSource {
  /** In words, without the payload itself. */
  readonly from: string;
  readonly payloads: Payloads;
  /** The path of the route that it is for, where the source knows that; else null. */
  readonly route: string | null;
}

interface Asked {
  /** JSON, the path of a file, or what names a backend. */
  readonly payload: string;
  readonly route: string | undefined;
  /** The work that each request is; undefined: what the backend says, else `otherwise`. */
  readonly cost: number | undefined;
  readonly otherwise: number;
}

/** Without a payload requests are GETs. */
export const NO_PAYLOAD: Payload = { text: null, value: undefined, cost: 0 };

/** @throws {UserError} */
export async function payloadsOf(asked: Asked, io: Io): Promise<PayloadSource> {
  const { payload, otherwise, cost = otherwise } = asked;
  if (/^\s*[[{]/.test(payload)) return inTurn('the command line', [parse(payload, '--payload')], cost);
  const kind = extname(payload);
  if (kind !== '.json' && kind !== '.jsonl') return ofBackend(asked, io);
  const content = await readFile(payload, 'utf8').catch((error: unknown) => {
    throw new UserError(`the payload can not be read: ${messageOf(error)}.`);
  });
  // Some editors write a byte order mark.
  const text = content.replace(/^\uFEFF/, '');
  if (kind === '.json') return inTurn(payload, [parse(text, payload)], cost);
  const lines = text.split('\n').flatMap((line, index) => {
    return line.trim() === '' ? [] : [parse(line, `line ${index + 1} of ${payload}`)];
  });
  if (lines.length === 0) throw new UserError(`${payload} holds no payload; it takes one a line, as JSON.`);
  return inTurn(payload, lines, cost);
}

function inTurn(from: string, values: readonly unknown[], cost: number): PayloadSource {
  const made = values.map((value) => payloadOf(value, cost));
  return { from, payloads: (index) => made[index % made.length] ?? NO_PAYLOAD, route: null };
}

/** What a backend measures itself with; where it does not, its example. */
async function ofBackend({ payload: name, route: path, cost }: Asked, io: Io): Promise<PayloadSource> {
  const { config } = settings(io.env, {});
  const backend = await loadBackend(name, loadSettings(io.env, config));
  const routes = [...backend.routes.values()];
  const route =
    path === undefined
      ? (routes.find(({ benchmark }) => benchmark !== null) ??
        routes.find(({ example }) => example !== undefined))
      : backend.routes.get(path);
  if (route === undefined) {
    const known = routes.map(({ path }) => path).join(', ');
    throw new UserError(
      path === undefined
        ? `no route of ${backend.name} has a benchmark or an example; give a payload of your own.`
        : `${backend.name} has no route ${path}; it has ${known}.`,
    );
  }
  const { what, bodyOf } = bodiesOf(route, backend.name);
  const payloads = async (index: number) => {
    const body = await bodyOf(index);
    return payloadOf(body, cost ?? workloadOf(route, body, () => {}));
  };
  await payloads(0).catch((error: unknown) => {
    throw new UserError(`${what} can not be made: ${messageOf(error)}.`);
  });
  return { from: what, payloads, route: route.path };
}

function bodiesOf({ path, benchmark, example }: CompiledRoute, backend: string) {
  if (benchmark !== null) return { what: `the benchmark of ${backend}`, bodyOf: benchmark.bodyOf };
  if (example !== undefined) return { what: `the example of ${backend}`, bodyOf: () => example };
  throw new UserError(
    `${path} of ${backend} has neither a benchmark nor an example; give a payload of your own.`,
  );
}

function payloadOf(value: unknown, cost: number): Payload {
  return { text: JSON.stringify(value), value, cost };
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(`${what} is not JSON: ${messageInLine(error)}.`);
  }
}
