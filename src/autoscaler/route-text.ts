import { signedText as currentText } from '../dialects/current/signed-text.js';
import { signedText as legacyText } from '../dialects/legacy/signed-text.js';
import type { Dialect } from './decode.js';

/** What a route says, and what a signature may cover of it. */
export interface RouteFields {
  readonly cost: number;
  readonly endpoint: string;
  readonly reqnum: number;
  readonly url: string;
}

/** The text that is signed for a worker of this dialect. Numbers stand in it as they stand in the answer. */
export function routeText(dialect: Dialect, { cost, endpoint, reqnum, url }: RouteFields): string {
  if (dialect === 'current') return currentText({ url });
  return legacyText({ cost: JSON.stringify(cost), endpoint, reqnum: JSON.stringify(reqnum), url });
}
