import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { ALL_BYTES, answerBinary, answerJson, Stream } from './answer.js';
import type { Behaviour } from './behaviour.js';
import { sendEndlessHeaders, sendGarbage } from './broken.js';
import type { Changes } from './changes.js';
import { Crash, Cut, generate } from './generate.js';
import { asObject, type Generation, type JsonObject, type Kind } from './kind.js';
import type { RequestRecord } from './request.js';

/** How many tokens an answer has where nobody says. */
const DEFAULT_TOKENS = 16;

/** What an answer needs to know of the engine. */
export interface Engine {
  readonly kind: Kind;
  readonly modelName: string;
  readonly behaviour: () => Behaviour;
  readonly changes: Changes;
  readonly isLoaded: () => boolean;
}

/** One request and the place for its answer. */
export interface Exchange {
  readonly record: RequestRecord;
  readonly response: ServerResponse;
  /** Aborted when the client goes. */
  readonly signal: AbortSignal;
}

/**
 * Answers a request as the engine would, and as its behaviour says.
 *
 * @throws {Crash} when the engine is to die, {Cut} when this connection is, and the signal's reason when the client goes
 */
export async function serve(engine: Engine, exchange: Exchange): Promise<void> {
  const { kind, modelName } = engine;
  const { record, response, signal } = exchange;
  const how = engine.behaviour();
  if (how.hang) return;
  if (how.garbage) {
    record.end('cut');
    return sendGarbage(response);
  }
  if (how.endlessHeaders) return sendEndlessHeaders(response, how, signal);
  const path = record.path.split('?', 1)[0] ?? '';
  // Only answers to work are sent by halves.
  const wholly = { ...how, halfBody: false };
  const fail = (status: number, message: string) =>
    answerJson(response, status, kind.error(status, message), wholly);

  const work = own(kind.work, path);
  const facts = own(kind.facts, path);
  const asksHealth = kind.health.includes(path);
  const method = work === undefined ? 'GET' : 'POST';
  if (work === undefined && facts === undefined && !asksHealth) return fail(404, 'Not Found');
  if (record.method !== method) return fail(405, 'Method Not Allowed');
  if (!engine.isLoaded()) return fail(503, 'Loading model');
  const engineFacts = { modelName, requestId: record.id };
  if (asksHealth) {
    if (how.healthDelayMs !== undefined) await delay(how.healthDelayMs, undefined, { signal });
    if ((how.healthStatus ?? 200) !== 200) return fail(how.healthStatus ?? 200, 'not well');
  }
  if (facts !== undefined) return answerJson(response, 200, facts(engineFacts), wholly);
  if (work === undefined) return answerJson(response, 200, { status: 'ok' }, wholly);

  if (how.firstByteDelayMs !== undefined) await delay(how.firstByteDelayMs, undefined, { signal });
  if (how.status !== undefined) return fail(how.status, `This fake model answers ${how.status}.`);
  if (how.outOfMemory) throw new Crash();
  const body = parse(record.body);
  if (body === undefined) return fail(400, 'The body is no JSON object.');
  await answerWork(engine, exchange, work(body, engineFacts), how);
}

async function answerWork(
  { behaviour, changes }: Engine,
  { record, response, signal }: Exchange,
  { asked, whole, stream }: Generation,
  how: Behaviour,
): Promise<void> {
  const count = asked === 0 ? 0 : (how.tokens ?? asked ?? DEFAULT_TOKENS);
  const streamed = stream && new Stream(response, how);
  const tokens: string[] = [];
  for await (const token of generate(count, { behaviour, changes, signal, inTurns: stream !== undefined })) {
    const index = tokens.push(token) - 1;
    record.generated();
    const isLast = tokens.length === count;
    await streamed?.write(how.binary ? ALL_BYTES : (stream?.event(token, index, isLast, tokens) ?? ''));
    if (streamed === undefined) continue;
    if (tokens.length === how.garbageAfterTokens) {
      record.end('cut');
      return sendGarbage(response);
    }
    if (how.halfBody && tokens.length >= count / 2) throw new Cut();
  }
  if (streamed !== undefined) streamed.end(how.binary ? '' : (stream?.end(tokens) ?? ''), count);
  else if (how.binary) await answerBinary(response, count, how);
  else await answerJson(response, 200, whole(tokens), how, count);
}

/** A path is looked up among those that were named, not among what every object has. */
function own<T>(routes: Readonly<Record<string, T>>, path: string): T | undefined {
  return Object.hasOwn(routes, path) ? routes[path] : undefined;
}

function parse(body: string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(body));
  } catch {
    return undefined;
  }
}
