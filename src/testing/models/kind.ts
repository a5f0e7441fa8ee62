import type { Preset } from './presets.js';

export type JsonObject = Readonly<Record<string, unknown>>;

/** What a request asks the engine to generate, and how this kind of engine writes it down. */
export interface Generation {
  /** How many tokens the request asks for; 0 where no tokens are made; undefined where it does not say. */
  readonly asked: number | undefined;
  /** The whole answer, when it is not streamed. */
  whole(tokens: readonly string[]): unknown;
  /** Only where the request asks for a stream: the text of each event and what follows the last. */
  readonly stream?: {
    event(token: string, index: number, isLast: boolean, tokens: readonly string[]): string;
    end(tokens: readonly string[]): string;
  };
}

/** What an answer may tell of the engine. */
export interface EngineFacts {
  readonly modelName: string;
  /** The number of the request, from 1: answers have ids made of it, so that they are the same in each run. */
  readonly requestId: number;
}

/** One kind of model server: what it can be asked, and what its answers look like. */
export interface Kind {
  /** The engine whose log is written where no other is chosen. */
  readonly preset: Preset;
  /** Paths that are asked by GET whether the engine is well; one may be that of a fact as well. */
  readonly health: readonly string[];
  /** Paths that are answered at once to GET. */
  readonly facts: Readonly<Record<string, (facts: EngineFacts) => unknown>>;
  /** Paths that generate, by POST. */
  readonly work: Readonly<Record<string, (body: JsonObject, facts: EngineFacts) => Generation>>;
  error(status: number, message: string): unknown;
}

/** A part of a body that is an object itself; empty where there is none. */
export function objectIn(body: JsonObject, name: string): JsonObject {
  return asObject(body[name]) ?? {};
}

export function asObject(value: unknown): JsonObject | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.fromEntries(Object.entries(value));
}

/** A count in a body; undefined where there is none. */
export function countIn(body: JsonObject, name: string): number | undefined {
  const value = body[name];
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
