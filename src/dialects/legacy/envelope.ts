import { z } from 'zod';
import type { Envelope, OpenEnvelope } from '../envelope.js';
import { checkFields, shortText } from '../envelope-fields.js';
import { parseMembers, TOO_MANY_MEMBERS } from '../envelope-members.js';
import { amount } from '../fields.js';
import { type Member, memberOf, membersIn } from '../json-members.js';
import { signedText } from './signed-text.js';

const authFields = z.object({
  cost: amount,
  endpoint: shortText,
  reqnum: z.int(),
  signature: shortText,
  url: shortText,
});

const AUTH_FIELDS = Object.keys(authFields.shape);

/**
 * The model's own JSON, with `cost`, `endpoint`, `reqnum`, `signature` and `url` beside its members. Where
 * all five are there they are taken out before the model sees the rest, each member of which stays as it was
 * written. Where one of them is missing the request is unsigned, and the whole body is the model's: those
 * of the five that are there too, since a model may have a `url` of its own. A body that is no object is
 * unsigned likewise. The numbers are signed as they were written, so they are read from the text.
 */
export const openLegacy: OpenEnvelope = (text) => {
  const found = membersIn(text);
  if (!found.ok && found.problem === 'too many members') return TOO_MANY_MEMBERS;
  if (!found.ok || !hasAll(found.members)) return { ok: true, envelope: unsigned(text) };
  const { members } = found;
  const parsed = parseMembers(text, members, AUTH_FIELDS);
  if (!parsed.ok) return parsed;
  const checked = checkFields(authFields, parsed.values);
  if (!checked.ok) return checked;
  const { signature, url, cost, endpoint, reqnum } = checked.fields;
  const written = { cost: writtenIn(text, members, 'cost'), reqnum: writtenIn(text, members, 'reqnum') };
  return {
    ok: true,
    envelope: {
      payload: withoutAuth(text, members),
      auth: {
        signedText: signedText({ ...written, endpoint, url }),
        signature,
        url,
        cost,
        endpoint,
        reqnum,
        requestIdx: null,
        data: parsed.values,
      },
      sessionId: null,
    },
  };
};

function hasAll(members: readonly Member[]): boolean {
  return AUTH_FIELDS.every((field) => memberOf(members, field) !== undefined);
}

function unsigned(text: string): Envelope {
  return { payload: text, auth: null, sessionId: null };
}

function writtenIn(text: string, members: readonly Member[], key: string): string {
  const member = memberOf(members, key);
  return member === undefined ? '' : text.slice(member.valueStart, member.end);
}

function withoutAuth(text: string, members: readonly Member[]): string {
  const own = members.filter(({ key }) => !AUTH_FIELDS.includes(key));
  return `{${own.map(({ start, end }) => text.slice(start, end)).join(', ')}}`;
}
