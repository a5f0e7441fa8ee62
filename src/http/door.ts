import type { IncomingMessage } from 'node:http';
import type { RepeatGuard, ReplayWindow } from '../auth/replay.js';
import type { CompiledRoute } from '../backend/index.js';
import type { Auth, Envelope, OpenEnvelope } from '../dialects/envelope.js';
import { type FieldProblems, WorkerError } from '../errors.js';
import type { Bodies } from './bodies.js';
import { decodeBody, parseJson } from './body.js';

/** What is known of the public key, and who to ask for a newer one. */
export interface Keys {
  readonly hasKey: boolean;
  verify(signedText: string, signature: string): boolean;
  /** Somebody wants it. */
  need(): void;
  /** A signature did not verify: resolves when it is known whether there is a newer key, true if there is. */
  renew(): Promise<boolean>;
}

export interface DoorOptions {
  /** How the dialect's envelopes are opened; null: the whole body is what the backend gets. */
  readonly openEnvelope: OpenEnvelope | null;
  /** Whether a request without a signature is let in. */
  readonly unsigned: 'taken' | 'refused';
  /** Signatures are not looked at. */
  readonly unsecured: boolean;
  /** What a signed request may be addressed to; null: it is not known. */
  readonly urls: () => ReadonlySet<string> | null;
  readonly keys: Keys;
  /** Refuses what was taken before; null: it is not looked for. */
  readonly replays: ReplayWindow | null;
  readonly repeats: RepeatGuard | null;
  readonly bodies: Bodies;
  readonly onUnsigned: () => void;
}

/** A request that was let in. */
export interface Admitted extends Envelope {
  /** The payload, parsed; undefined where the request brought no body. */
  readonly json: unknown;
  /** How long the body was. */
  readonly bytes: number;
}

const NOTHING: Admitted = { payload: '', json: undefined, bytes: 0, auth: null, sessionId: null };

const RETRY_WITHOUT_KEY_SECONDS = '5';

/**
 * Where requests come in: reads the body, opens the envelope, and checks the signature. Until it has let a
 * request in, that request changes nothing.
 */
export class Door {
  readonly #options: DoorOptions;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  /**
   * What the backend gets of a request that may come in, as the client wrote it and parsed.
   *
   * @throws {WorkerError} when it is not let in
   */
  async open(route: Pick<CompiledRoute, 'method' | 'public'>, request: IncomingMessage): Promise<Admitted> {
    if (!bringsBody(route.method, request)) {
      if (!route.public) this.#letInUnsigned();
      return NOTHING;
    }
    // What everybody may send has no envelope: there is nothing in it to be checked.
    const openEnvelope = route.public ? null : this.#options.openEnvelope;
    if (openEnvelope !== null) this.#expectKey();
    const { bodies } = this.#options;
    const body = await bodies.read(request);
    try {
      return await this.#check(request, body, openEnvelope);
    } finally {
      bodies.giveBack(body);
    }
  }

  async #check(request: IncomingMessage, body: Buffer, openEnvelope: OpenEnvelope | null): Promise<Admitted> {
    const { unsecured } = this.#options;
    const text = decodeBody(request, body);
    const bytes = body.length;
    if (openEnvelope === null) return { ...NOTHING, payload: text, json: parseJson(text), bytes };
    const opened = openEnvelope(text, { unsecured });
    if (!opened.ok) throw malformed(opened.fields);
    const { payload, auth, sessionId } = opened.envelope;
    await this.#authorise(opened.envelope);
    // Only now: to parse what a stranger made can keep the worker busy for seconds.
    return { payload, json: parseJson(payload), bytes, auth, sessionId };
  }

  /** Where all must be signed, there is no use in reading what can't be checked. */
  #expectKey(): void {
    const { keys, unsigned, unsecured } = this.#options;
    if (!unsecured && unsigned === 'refused') this.#requireKey(keys);
  }

  #requireKey(keys: Keys): void {
    if (keys.hasKey) return;
    keys.need();
    throw new WorkerError('no_public_key', undefined, {
      headers: { 'Retry-After': RETRY_WITHOUT_KEY_SECONDS },
    });
  }

  async #authorise({ auth, sessionId }: Envelope): Promise<void> {
    if (this.#options.unsecured) return;
    if (auth === null) this.#letInUnsigned();
    else await this.#verify(auth, sessionId !== null);
  }

  #letInUnsigned(): void {
    const { unsigned, unsecured, onUnsigned, openEnvelope } = this.#options;
    if (unsecured || openEnvelope === null) return;
    if (unsigned === 'refused') throw new WorkerError('unsigned');
    onUnsigned();
  }

  async #verify(auth: Auth, inSession: boolean): Promise<void> {
    const { keys, urls, replays, repeats } = this.#options;
    this.#requireKey(keys);
    const { signedText, signature } = auth;
    const isValid =
      keys.verify(signedText, signature) || ((await keys.renew()) && keys.verify(signedText, signature));
    if (!isValid) throw new WorkerError('invalid_signature');
    if (urls()?.has(auth.url) === false) {
      throw new WorkerError('invalid_signature', 'The signature is for another worker.');
    }
    if (replays?.accept(auth.reqnum, signedText) === false) throw new WorkerError('repeated');
    if (inSession || repeats === null || auth.requestIdx === null) return;
    if (!repeats.accept(auth.requestIdx, auth.reqnum)) throw new WorkerError('repeated');
  }
}

function malformed(fields: FieldProblems | null): WorkerError {
  if (fields === null) return new WorkerError('invalid_json');
  return new WorkerError('invalid_envelope', undefined, { fields });
}

/** The body of a GET is not looked at, a DELETE may have one, and the others must. */
function bringsBody(method: string, { headers }: IncomingMessage): boolean {
  if (method !== 'DELETE') return method !== 'GET';
  return 'transfer-encoding' in headers || Number(headers['content-length'] ?? 0) > 0;
}
