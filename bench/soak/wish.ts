import { z } from 'zod';

const schema = z.object({
  /** Units of work. */
  units: z.number(),
  /** How long the answer takes, and of how many pieces of how many bytes it is. */
  ms: z.number(),
  pieces: z.number(),
  bytes: z.number(),
  /** The status of the answer. */
  status: z.number().default(200),
});

/** What a request of the soak says of the answer that it wants. */
export type Wish = z.input<typeof schema>;

export function readWish(body: unknown): z.infer<typeof schema> {
  return schema.parse(body);
}

export function unitsOf(body: unknown): number {
  return readWish(body).units;
}
