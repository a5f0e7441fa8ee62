import type { Express, Request, Response } from 'express';
import { z } from 'zod';
import type { RequestEvent } from '../../machines/events.js';
import type { Session } from '../../machines/sessions.js';
import { sameJson } from '../auth/equal.js';
import { isWorkload, MAX_WORKLOAD } from '../backend/index.js';
import { checkFields } from '../dialects/envelope-fields.js';
import { parseMembers, readMembers } from '../dialects/envelope-members.js';
import { type FieldProblems, WorkerError } from '../errors.js';
import { unixClock } from '../unix-seconds.js';
import { allowOnly } from './allow-only.js';
import type { Bodies } from './bodies.js';
import { decodeBody } from './body.js';
import type { Door } from './door.js';
import type { Gate } from './gate.js';
import { byField } from './malformed.js';
import { SESSION_ROUTE, type Sessions } from './sessions.js';

export interface SessionRoutesOptions {
  readonly sessions: Sessions;
  readonly gate: Gate;
  readonly door: Door;
  readonly bodies: Bodies;
  /** Whether there is a model server, which can be told that a session has ended. */
  readonly hasModel: boolean;
  /** Monotonic, in ms. */
  readonly now: () => number;
  readonly nextId: () => number;
  readonly emit: (event: RequestEvent) => void;
}

const LONGEST_LIFETIME_SECONDS = 86_400;

/** What is kept of a session is written as JSON again, which goes deeper into the call stack with each level. */
const DEEPEST = 500;
const TOO_DEEP = `must not be nested deeper than ${DEEPEST} levels`;

const TOO_MUCH = `must be a number of units from 0 to ${MAX_WORKLOAD}`;

const NOBODY_TO_TELL = 'there is no model server behind this worker that could be called';

const CREATE = { method: 'POST', public: false } as const;

/** A path on the model server, so that a client can't have the worker call whom it likes. */
const modelPath = z
  .string()
  .regex(/^\/(?!\/)[\w./~-]*$/, 'must be a path on the model server, such as "/close"');

const createSchema = z.object({
  payload: z.object({
    lifetime: z.number().positive().max(LONGEST_LIFETIME_SECONDS).default(60),
    on_close_route: modelPath.nullish(),
    on_close_payload: z.record(z.string(), z.unknown()).refine(isShallow, TOO_DEEP).nullish(),
  }),
});

const referenceSchema = z.object({ session_id: z.string(), session_auth: z.unknown() });

/** The calls with which a client holds the worker for a series of requests. */
export function addSessionRoutes(app: Express, options: SessionRoutesOptions): void {
  const { sessions, gate, door, hasModel, now, nextId, emit } = options;
  const unixSeconds = unixClock(now);

  app.all(SESSION_ROUTE, async (request, response) => {
    allowOnly('POST', request.path, request);
    const { auth, json } = await door.open(CREATE, request).catch((error) => {
      throw byField(error);
    });
    const { lifetime, on_close_route, on_close_payload } = parse(createSchema, { payload: json }).payload;
    if (!hasModel && on_close_route != null) throw invalid('payload.on_close_route', NOBODY_TO_TELL);
    if (!isShallow(auth?.data)) throw invalid('auth_data', TOO_DEEP);
    const [workload, requestIdx] = [auth?.cost ?? 0, auth?.requestIdx ?? null];
    // No signature vouches for it, and the sums of the worker would be lost in one that is too large.
    if (!isWorkload(workload)) throw invalid('auth_data.cost', TOO_MUCH);
    const refusal =
      gate.refusal ?? (sessions.isFull ? new WorkerError('too_many_sessions', undefined, RETRY) : undefined);
    if (refusal !== undefined) {
      const facts = { id: nextId(), kind: 'session', route: SESSION_ROUTE, workload, requestIdx } as const;
      emit({ type: 'request.rejected', ...facts, atMs: now() });
      throw refusal;
    }
    const session = sessions.create({
      auth: auth?.data ?? {},
      lifetimeMs: lifetime * 1000,
      onCloseRoute: on_close_route ?? null,
      onClosePayload: on_close_payload ?? {},
      workload,
      requestIdx,
    });
    response.status(201).json({ session_id: session.id, expiration: unixSeconds(session.expiresAtMs) });
  });

  app.all('/session/get', async (request, response) => {
    const session = expectSession(await referenceOf(request));
    response.json({
      session_id: session.id,
      auth_data: session.auth,
      lifetime: session.lifetimeMs / 1000,
      expiration: unixSeconds(session.expiresAtMs),
      created_at: unixSeconds(session.createdAtMs),
      on_close_route: session.onCloseRoute,
      on_close_payload: session.onClosePayload,
    });
  });

  app.all('/session/health', async (request, response) => {
    const { session_id, session_auth } = await referenceOf(request);
    const session = sessions.find(session_id);
    if (session !== undefined) expectAuth(session, session_auth);
    response.json({ ok: session?.state === 'active' });
  });

  addSessionEnd(app, options);

  async function referenceOf(request: Request) {
    return readReference(request, options.bodies);
  }

  function expectSession({ session_id, session_auth }: z.infer<typeof referenceSchema>): Session {
    const session = sessions.find(session_id);
    if (session === undefined) throw new WorkerError('no_such_session');
    expectAuth(session, session_auth);
    return session;
  }
}

/** The call that ends a session. The model server may make it too, on the internal port. */
export function addSessionEnd(
  app: Express,
  { sessions, bodies }: Pick<SessionRoutesOptions, 'sessions' | 'bodies'>,
): void {
  app.all('/session/end', async (request: Request, response: Response) => {
    const { session_id, session_auth } = await readReference(request, bodies);
    const session = sessions.find(session_id);
    if (session === undefined && !sessions.wasClosed(session_id)) throw new WorkerError('no_such_session');
    if (session !== undefined) expectAuth(session, session_auth);
    if (!sessions.end(session_id)) throw new WorkerError('session_gone', 'The session has ended already.');
    response.json({ ended: true, removed_session: session_id });
  });
}

const RETRY = { headers: { 'Retry-After': '5' } };

async function readReference(request: Request, bodies: Bodies) {
  allowOnly('POST', request.path, request);
  const body = await bodies.read(request);
  try {
    return parse(referenceSchema, referenceIn(decodeBody(request, body)));
  } catch (error) {
    throw byField(error);
  } finally {
    bodies.giveBack(body);
  }
}

/**
 * The members of a reference. The others are not looked into, nor is one that is longer than any that a session was
 * made of: whoever sends this may be anybody, and to parse a body of megabytes can keep the worker busy for minutes.
 */
function referenceIn(text: string): unknown {
  const found = readMembers(text);
  const parsed = found.ok ? parseMembers(text, found.members, Object.keys(referenceSchema.shape)) : found;
  if (parsed.ok) return parsed.values;
  throw parsed.fields === null ? new WorkerError('invalid_json') : malformed(parsed.fields);
}

function invalid(field: string, problem: string): WorkerError {
  return malformed({ [field]: problem });
}

function malformed(fields: FieldProblems): WorkerError {
  return new WorkerError('invalid_envelope', undefined, { fields });
}

function isShallow(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; depth <= DEEPEST && level.length > 0; depth++) {
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []));
  }
  return level.length === 0;
}

function expectAuth(session: Session, given: unknown): void {
  if (!sameJson(session.auth, given)) {
    throw new WorkerError(
      'unauthorized',
      'session_auth is not the auth_data with which the session was created.',
    );
  }
}

function parse<T>(schema: z.ZodType<T>, json: unknown): T {
  const checked = checkFields(schema, json);
  if (checked.ok) return checked.fields;
  throw malformed(checked.fields ?? {});
}
