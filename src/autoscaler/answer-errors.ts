import type { ErrorRequestHandler, RequestHandler } from 'express';
import { type ErrorCode, messageOf, WorkerError } from '../errors.js';
import { answerError as tellError } from '../net/write.js';

/** Nothing matched the path. */
export const answerNotFound: RequestHandler = () => {
  throw new WorkerError('not_found');
};

/** The path is known, the method is not: put behind the routes of a path. */
export function allowOnly(...methods: string[]): RequestHandler {
  return () => {
    throw new WorkerError('method_not_allowed', undefined, { headers: { allow: methods.join(', ') } });
  };
}

/** Whatever went wrong becomes one JSON answer. It is the last handler of the app. */
export const answerError: ErrorRequestHandler = (thrown, _req, res, _next) => {
  tellError(res, asTold(thrown));
};

/** Whatever was thrown, as a row of the table of errors. */
export function asTold(thrown: unknown): WorkerError {
  return thrown instanceof WorkerError ? thrown : normalise(thrown);
}

const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  404: 'not_found',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
};

/** Express and its body parser throw errors with a `status` and sometimes a `type`. */
function normalise(thrown: unknown): WorkerError {
  const status = thrown instanceof Error && 'status' in thrown ? Number(thrown.status) : 500;
  const type = thrown instanceof Error && 'type' in thrown ? thrown.type : undefined;
  if (type === 'entity.parse.failed') return new WorkerError('invalid_json', undefined, { cause: thrown });
  if (type === 'request.aborted')
    return new WorkerError('client_closed_request', undefined, { cause: thrown });
  if (status >= 400 && status < 500) {
    return new WorkerError(CODE_OF_STATUS[status] ?? 'malformed_request', undefined, { cause: thrown });
  }
  // On a desk the reason belongs where its owner sees it.
  return new WorkerError('backend_error', messageOf(thrown), { cause: thrown });
}
