import { z } from 'zod';
import type { Envelope, OpenEnvelope } from '../envelope.js';
import { checkFields, isObject, shortText } from '../envelope-fields.js';
import { amount } from '../fields.js';
import { members } from '../json-members.js';
import { signedText } from './signed-text.js';

const authFields = z.object({
  cost: amount,
  endpoint: shortText,
  reqnum: z.int(),
  signature: shortText,
  url: shortText,
});

const AUTH_FIELDS: ReadonlySet<string> = new Set(Object.keys(authFields.shape));

/**
 * The model's own JSON, with `cost`, `endpoint`, `reqnum`, `signature` and `url` beside its members. Where
 * all five are there they are taken out before the model sees the rest, each member of which stays as it was
 * written. Where one of them is missing the request is unsigned, and the whole body is the model's: those
 * of the five that are there too, since a model may have a `url` of its own. A body that is no object is
 * unsigned likewise. The numbers are signed as they were written, so they are read from the text.
 */
export const openLegacy: OpenEnvelope = (text, json) => {
  if (!isObject(json) || !hasAll(json)) return { ok: true, envelope: unsigned(text, json) };
  const checked = checkFields(authFields, json);
  if (!checked.ok) return checked;
  const { signature, url, cost, endpoint, reqnum } = checked.fields;
  const written = split(text);
  const [data, own] = splitParsed(json);
  return {
    ok: true,
    envelope: {
      payload: written.payload,
      json: own,
      auth: {
        signedText: signedText({ cost: written.cost, endpoint, reqnum: written.reqnum, url }),
        signature,
        url,
        cost,
        endpoint,
        reqnum,
        requestIdx: null,
        data,
      },
      sessionId: null,
    },
  };
};

function hasAll(json: Record<string, unknown>): boolean {
  return [...AUTH_FIELDS].every((field) => Object.hasOwn(json, field));
}

function unsigned(text: string, json: unknown): Envelope {
  return { payload: text, json, auth: null, sessionId: null };
}

/** The texts of the two numbers that are signed, and the body without the five fields. */
function split(text: string) {
  const numbers = { cost: '', reqnum: '' };
  const own: string[] = [];
  for (const { key, start, valueStart, end } of members(text)) {
    if (key === 'cost' || key === 'reqnum') numbers[key] = text.slice(valueStart, end);
    else if (!AUTH_FIELDS.has(key)) own.push(text.slice(start, end));
  }
  return { ...numbers, payload: `{${own.join(', ')}}` };
}

function splitParsed({ cost, endpoint, reqnum, signature, url, ...own }: Record<string, unknown>) {
  return [{ cost, endpoint, reqnum, signature, url }, own] as const;
}
