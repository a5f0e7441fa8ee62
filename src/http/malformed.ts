import { asWorkerError, type FieldProblems, WorkerError } from '../errors.js';

/** Errors of the form of a request, for which in the legacy dialect it still counts as work. */
const MALFORMED = ['invalid_json', 'invalid_request', 'unsupported_media_type'];

export function isMalformed(error: unknown): boolean {
  return MALFORMED.includes(asWorkerError(error)?.code ?? '');
}

/** In the current dialect what is wrong with the form of a request is told by field, with 422. */
export function byField(error: unknown): unknown {
  const known = asWorkerError(error);
  if (known?.code === 'invalid_json') return envelopeError({ error: 'invalid JSON' }, known);
  if (known?.code !== 'invalid_request') return error;
  const fields = Object.entries(known.fields ?? { '': known.message }).map(([field, problem]) => [
    field === '' ? 'payload' : `payload.${field}`,
    problem,
  ]);
  return envelopeError(Object.fromEntries(fields), known);
}

function envelopeError(fields: FieldProblems, cause: WorkerError): WorkerError {
  return new WorkerError('invalid_envelope', undefined, { fields, cause });
}
