import { pythonNumber, pythonString } from '../python-text.js';

export interface SignedFields {
  /** The number's own text in the request: `256.0` and `256` are signed as they were written. */
  readonly cost: string;
  readonly endpoint: string;
  /** The number's own text in the request. */
  readonly reqnum: string;
  readonly url: string;
}

/** What an autoscaler signs in this dialect. */
export function signedText({ cost, endpoint, reqnum, url }: SignedFields): string {
  return [
    '{',
    `    "cost": ${pythonNumber(cost)},`,
    `    "endpoint": ${pythonString(endpoint)},`,
    `    "reqnum": ${pythonNumber(reqnum)},`,
    `    "url": ${pythonString(url)}`,
    '}',
  ].join('\n');
}
