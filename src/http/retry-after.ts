const LONGEST_SECONDS = 3_600;

/** The header that tells a client when to come again, within reason. */
export function retryAfter(ms: number): { readonly 'Retry-After': string } {
  return { 'Retry-After': String(Math.min(Math.ceil(ms / 1000), LONGEST_SECONDS)) };
}
