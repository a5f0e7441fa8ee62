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
  /** What the model gets, as the client wrote it. Whether it is JSON is not known yet. */
  readonly payload: string;
  /** null: unsigned. */
  readonly auth: Auth | null;
  readonly sessionId: string | null;
}

/**
 * An envelope, or what is wrong by field (`auth_data.signature`): at least one, at most {@link MOST_PROBLEMS}; null:
 * it is no JSON.
 */
export type OpenedEnvelope =
  | { readonly ok: true; readonly envelope: Envelope }
  | { readonly ok: false; readonly fields: Readonly<Record<string, string>> | null };

/**
 * Opens the body of a request, of whom nobody knows yet who sent it. It never throws, and parses no more than is
 * needed to find out.
 *
 * @param options `unsecured`: signatures are not asked for, so what belongs to them may be missing
 */
export type OpenEnvelope = (text: string, options: { readonly unsecured: boolean }) => OpenedEnvelope;

/** How many problems of one body are told. */
export const MOST_PROBLEMS = 5;
