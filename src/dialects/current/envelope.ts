import { z } from 'zod';
import type { Auth, OpenEnvelope } from '../envelope.js';
import { anObject, checkFields, isObject, shortText } from '../envelope-fields.js';
import { parseMembers, readMembers } from '../envelope-members.js';
import { amount } from '../fields.js';
import { type Member, memberOf } from '../json-members.js';
import { signedText } from './signed-text.js';

const authData = z.object({
  cost: amount,
  endpoint: shortText,
  reqnum: z.int(),
  request_idx: z.int(),
  signature: shortText,
  url: shortText,
});

const secured = z.object({ auth_data: authData, payload: anObject, session_id: shortText.nullish() });

const authDataInPart = z.object({
  cost: amount.nullish(),
  endpoint: shortText.nullish(),
  reqnum: z.int().nullish(),
  request_idx: z.int().nullish(),
  signature: shortText.nullish(),
  url: shortText.nullish(),
});

const unsecured = secured.extend({ auth_data: authDataInPart.nullish() });

/**
 * `{auth_data: {cost, endpoint, reqnum, request_idx, signature, url}, payload: {…}, session_id?}`; other
 * members are let be. Of a door that is open, `auth_data` may lack anything or be missing altogether: what
 * is missing or null counts as 0, an empty text or no `request_idx`, but what is there must have its type.
 */
export const openCurrent: OpenEnvelope = (text, options) => {
  const found = readMembers(text);
  if (!found.ok) return found;
  const parsed = parseMembers(text, found.members, ['auth_data', 'session_id']);
  if (!parsed.ok) return parsed;
  const payload = memberOf(found.members, 'payload');
  const body = { ...parsed.values, payload: payload && standInFor(text, payload) };
  const checked = checkFields(options.unsecured ? unsecured : secured, body);
  if (!checked.ok) return checked;
  const { session_id: sessionId = null, auth_data: auth } = checked.fields;
  return {
    ok: true,
    envelope: {
      payload: payload ? text.slice(payload.valueStart, payload.end) : '',
      auth: auth ? toAuth(auth, parsed.values.auth_data) : null,
      sessionId,
    },
  };
};

/** The payload is not parsed for those of whom nothing is known: its first character says whether it is an object. */
function standInFor(text: string, { valueStart }: Member): unknown {
  return text[valueStart] === '{' ? {} : null;
}

function toAuth(fields: z.infer<typeof authDataInPart>, data: unknown): Auth {
  const url = fields.url ?? '';
  return {
    signedText: signedText({ url }),
    signature: fields.signature ?? '',
    url,
    cost: fields.cost ?? 0,
    endpoint: fields.endpoint ?? '',
    reqnum: fields.reqnum ?? 0,
    requestIdx: fields.request_idx ?? null,
    data: isObject(data) ? data : {},
  };
}
