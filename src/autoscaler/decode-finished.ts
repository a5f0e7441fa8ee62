import { decodeCompletions } from '../dialects/current/decode-completions.js';
import { isRecord } from './decode.js';
import type { DecodedCompletions, FinishedRequest } from './finished.js';

/** Reads the parsed JSON body of `POST /delete_requests/`; both forms become one. Never throws. */
export function decodeFinished(body: unknown): DecodedCompletions {
  if (!isRecord(body)) return { ok: false, field: 'body', problem: 'Invalid input: expected a JSON object' };
  const decoded = decodeCompletions(body);
  if (!decoded.ok) return decoded;
  const { message } = decoded;
  const { dialect, kind, worker_id: id } = message;
  const requests =
    message.form === 'requests'
      ? message.requests
      : message.request_idxs.map((idx) => withoutTimes(idx, message.success));
  return { ok: true, message: { dialect, kind, id, form: message.form, requests } };
}

/** The older form says of a request no more than whether it succeeded. */
function withoutTimes(request_idx: number, success: boolean): FinishedRequest {
  return {
    request_idx,
    success,
    status: success ? 'Success' : 'Error',
    entered_queue_at: null,
    work_started_at: null,
    work_completed_at: null,
  };
}
