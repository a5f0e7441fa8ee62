import { z } from 'zod';
import { answerStatus } from '../answer-status.js';

const count = z.int().nonnegative();

const fields = {
  /** Tokens that each request generates in a second; without it as many as the process can. */
  tokensPerSecond: z.number().positive().optional(),
  /** How many tokens each answer has, whatever the request asks for. */
  tokens: count.optional(),
  /** The answer's headers are held back for so long. */
  firstByteDelayMs: z.number().nonnegative().optional(),
  /** Generation stands still after so many tokens until this is changed, so that a test needs no clock. */
  pauseAfterTokens: count.optional(),
  /** The engine dies after so many tokens of any one answer: 0 is before the answer's first byte. */
  crashAfterTokens: count.optional(),
  /** The next request finds no memory: the log says so, and the engine dies before the answer's first byte. */
  outOfMemory: z.boolean().optional(),
  /** Requests are taken and never answered, those for health included. */
  hang: z.boolean().optional(),
  /** Connections are closed as soon as they are made. */
  refuse: z.boolean().optional(),
  /** Each request is answered with bytes that are no HTTP, and its connection closed. */
  garbage: z.boolean().optional(),
  /** A streamed answer goes on with bytes that are no HTTP after so many tokens. */
  garbageAfterTokens: count.optional(),
  /** Of each answer to work half of the body is sent, and then its connection is cut. The engine lives on. */
  halfBody: z.boolean().optional(),
  /** Each request is answered with headers that have no end, as many in a second as it generates tokens. */
  endlessHeaders: z.boolean().optional(),
  /** Work is answered with this status and the engine's JSON for an error. */
  status: answerStatus.optional(),
  /** The status of the health route once the model is loaded. */
  healthStatus: answerStatus.optional(),
  /** The health route answers after so long. */
  healthDelayMs: z.number().nonnegative().optional(),
  /** Answers are compressed, a stream's events one by one. */
  gzip: z.boolean().optional(),
  /** Each token is 256 bytes, one of each value, and the answer is made of nothing else. */
  binary: z.boolean().optional(),
  /** Answers end with a trailer, `X-Tokens`. */
  trailers: z.boolean().optional(),
  /** Answers have headers that are for one connection only, and `X-End-To-End`, which is not. */
  hopByHop: z.boolean().optional(),
  /** The log tells much of each request: its text, progress, and a user's prompt with a traceback in it. */
  chatty: z.boolean().optional(),
};

const schema = z.object(fields);

/** All that can be said of it. */
export const BEHAVIOUR_NAMES: readonly string[] = Object.keys(fields);

/** How a fake model behaves. Whatever is not given is as a healthy engine does it. */
export type Behaviour = Readonly<z.infer<typeof schema>>;

/**
 * Reads what to change of a behaviour; `null` takes something back.
 *
 * @throws when it is not JSON, or says what no fake model knows
 */
export function parseBehaviour(json: string): Behaviour {
  const given = z.record(z.string(), z.unknown()).parse(JSON.parse(json));
  const entries = Object.entries(given).map(([name, value]) => [name, value ?? undefined]);
  return checkedBehaviour(Object.fromEntries(entries));
}

/** @throws when it says what no fake model knows, which would change nothing and be taken for a fault */
export function checkedBehaviour(behaviour: object): Behaviour {
  const unknown = Object.keys(behaviour).find((name) => !BEHAVIOUR_NAMES.includes(name));
  if (unknown !== undefined)
    throw new TypeError(
      `A fake model has no "${unknown}" to behave by; it has ${BEHAVIOUR_NAMES.join(', ')}.`,
    );
  const read = schema.safeParse(behaviour);
  if (!read.success) throw new Error(z.prettifyError(read.error));
  return read.data;
}
