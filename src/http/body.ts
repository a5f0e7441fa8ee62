import type { IncomingMessage } from 'node:http';
import { WorkerError } from '../errors.js';

/** Whole texts only, so it has nothing to remember from one to the next. */
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The text of a body that says it is JSON in UTF-8. No content type at all counts as JSON.
 *
 * @throws {WorkerError} `unsupported_media_type`, `invalid_json`
 */
export function decodeBody(request: IncomingMessage, body: Buffer): string {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    throw new WorkerError('unsupported_media_type', 'The body must not be compressed (content-encoding).');
  }
  const type = request.headers['content-type'];
  if (type !== undefined && !isJson(type)) {
    throw new WorkerError('unsupported_media_type', 'The content-type must be application/json in UTF-8.');
  }
  if (body.length === 0) throw new WorkerError('invalid_json', 'The body is empty; it must be JSON.');
  try {
    return UTF8.decode(body);
  } catch (cause) {
    throw new WorkerError('invalid_json', undefined, { cause });
  }
}

/** @throws {WorkerError} `invalid_json` */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new WorkerError('invalid_json', undefined, { cause });
  }
}

function isJson(contentType: string): boolean {
  // What nearly all say.
  if (contentType === 'application/json') return true;
  const [type = '', ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length);
  const isUtf8 = charset === undefined || ['utf-8', 'utf8', 'us-ascii'].includes(charset.replaceAll('"', ''));
  return (type === 'application/json' || /^[\w.-]+\/[\w.-]+\+json$/.test(type)) && isUtf8;
}
