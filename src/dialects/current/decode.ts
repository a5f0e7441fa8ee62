import { z } from 'zod';
import { amount, count, type Decoded, decodeWith, told, workerId } from '../fields.js';

/**
 * The `current` dialect as an autoscaler reads it: the parsed JSON body of `POST /worker_status/`
 * becomes one typed status. Wire names are kept, misspellings included; fields that are not known
 * here are left out.
 */

/** Checked as a whole: a megabyte of wrong entries is one problem, not a hundred thousand. */
const requestIdxs = z.custom<readonly number[]>(
  (value) => Array.isArray(value) && value.every((entry) => Number.isSafeInteger(entry)),
  { error: 'Invalid input: expected an array of whole numbers' },
);

const statusSchema = z.object({
  dialect: z.literal('current'),
  kind: z.literal('status'),
  id: workerId,
  mtoken: z.string().optional(),
  version: z.string(),
  loadtime: amount,
  new_load: told,
  cur_load: told,
  rej_load: told,
  max_perf: told,
  cur_perf: told,
  error_msg: z.string(),
  num_requests_working: count,
  num_requests_recieved: count,
  // Growth, so it falls below zero when files are removed.
  additional_disk_usage: z.number(),
  working_request_idxs: requestIdxs,
  cur_capacity: z.number(),
  max_capacity: z.number(),
  url: z.string(),
});

/** The one message of a worker that speaks `current`. */
export type CurrentMessage = z.infer<typeof statusSchema>;

export type DecodedCurrent = Decoded<CurrentMessage>;

/** Fields that every status of this dialect has and no message of `legacy` has. */
const MARKS = ['version', 'new_load', 'rej_load', 'working_request_idxs'];

/** Whether a body is of this dialect, told from its fields: the wire has no tag. */
export function looksCurrent(body: Readonly<Record<string, unknown>>): boolean {
  return MARKS.some((mark) => Object.hasOwn(body, mark));
}

/** Reads one body. It never throws: a body of another form is refused with the field that is wrong. */
export function decodeCurrent(body: Readonly<Record<string, unknown>>): DecodedCurrent {
  return decodeWith(statusSchema, { ...body, dialect: 'current', kind: 'status' });
}
