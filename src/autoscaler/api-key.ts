import { randomBytes } from 'node:crypto';
import type { Request } from 'express';
import { sameText } from '../auth/equal.js';
import { WorkerError } from '../errors.js';

const KEY_BYTES = 24;

/** A key for one autoscaler, made at random. */
export function makeApiKey(): string {
  return randomBytes(KEY_BYTES).toString('hex');
}

const WRONG_KEY =
  'The API key is missing or wrong. Send it as "Authorization: Bearer", as ?api_key= or as api_key in the body.';

/**
 * Clients send the key as a bearer, in the query and in the body, some in all three; one that is
 * right is enough. All are compared, so that the time tells nothing.
 *
 * @throws {WorkerError} `unauthorized`
 */
export function requireKey(request: Request, apiKey: string): void {
  const given = [bearerOf(request), request.query.api_key, inBody(request.body)];
  const right = given.filter((key) => typeof key === 'string' && sameText(key, apiKey));
  if (right.length === 0) {
    throw new WorkerError('unauthorized', WRONG_KEY, { headers: { 'www-authenticate': 'Bearer' } });
  }
}

function bearerOf(request: Request): string | undefined {
  const { authorization = '' } = request.headers;
  return /^bearer /i.test(authorization) ? authorization.slice('bearer '.length).trim() : undefined;
}

function inBody(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'api_key' in body ? body.api_key : undefined;
}
