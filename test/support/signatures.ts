import { readFileSync } from 'node:fs';
import { z } from 'zod';

const common = { name: z.string(), signed_message: z.string(), valid: z.boolean() };

const vectors = z.object({
  public_key_pem: z.string(),
  current: z.array(z.object({ ...common, auth_data_json: z.string() })).length(14),
  legacy: z.array(z.object({ ...common, body_json: z.string() })).length(19),
});

/** Signatures that another implementation made, valid and invalid. */
export const SIGNATURES = vectors.parse(
  JSON.parse(readFileSync(new URL('../fixtures/signatures.json', import.meta.url), 'utf8')),
);
