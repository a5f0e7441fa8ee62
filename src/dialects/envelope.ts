/** What a client's request carries beside what is meant for the model. Read from it, believed in nothing. */
export interface Auth {
  /** The text that the signature is over, if it is genuine. */
  readonly signedText: string;
  /** Base64, as it came; empty where there is none. */
  readonly signature: string;
  /** The worker that the autoscaler chose. */
  readonly url: string;
  /** Units of work. Finite, at least 0. */
  readonly cost: number;
  readonly endpoint: string;
  readonly reqnum: number;
  /** null: not told. */
  readonly requestIdx: number | null;
  /** All of it as parsed, members that are not known here included: sessions compare it. */
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Envelope {
  /** What the model gets: JSON, as the client wrote it. */
  readonly payload: string;
  /** The same, parsed. */
  readonly json: unknown;
  /** null: unsigned. */
  readonly auth: Auth | null;
  readonly sessionId: string | null;
}

/** An envelope, or what is wrong by field (`auth_data.signature`): at least one, at most {@link MOST_PROBLEMS}. */
export type OpenedEnvelope =
  | { readonly ok: true; readonly envelope: Envelope }
  | { readonly ok: false; readonly fields: Readonly<Record<string, string>> };

/**
 * Opens the body of a request. It never throws.
 *
 * @param text the body, which `JSON.parse` has accepted
 * @param json what it made of it
 * @param options `unsecured`: signatures are not asked for, so what belongs to them may be missing
 */
export type OpenEnvelope = (
  text: string,
  json: unknown,
  options: { readonly unsecured: boolean },
) => OpenedEnvelope;

/** How many problems of one body are told. */
export const MOST_PROBLEMS = 5;
