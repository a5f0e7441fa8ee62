import { pythonString } from '../python-text.js';

/**
 * What an autoscaler signs in this dialect: the worker's address alone. The signature is therefore good for
 * every request to that worker, and vouches for none of the other fields.
 */
export function signedText({ url }: { readonly url: string }): string {
  return `{\n    "url": ${pythonString(url)}\n}`;
}
