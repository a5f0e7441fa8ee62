import type { Dispatcher } from 'undici';
import { fromPromise } from 'xstate';
import { BatchRefused } from '../../machines/batch-size.js';
import type { CompletionsAttempt, CompletionsDelivery } from '../../machines/completions.js';
import { type CompletionsForm, encodeCompletions } from '../dialects/current/completions.js';
import { pathOn } from '../net/address.js';
import { post, StatusError } from './post.js';

export interface PostCompletionsOptions {
  readonly id: number;
  readonly mtoken: string;
  readonly form: CompletionsForm;
  /** For each post. */
  readonly timeoutMs: number;
  readonly dispatcher: Dispatcher;
  /** Monotonic, in ms. */
  readonly now: () => number;
}

/** Answers that are about what a post holds. Others, as 401, 404 or 429, are about the sender or the address. */
const REFUSALS: readonly number[] = [400, 413, 422];

/** One attempt to tell which requests have finished: the effect behind the completions machine. */
export function createPostCompletions({
  id,
  mtoken,
  form,
  timeoutMs,
  dispatcher,
  now,
}: PostCompletionsOptions) {
  return fromPromise<CompletionsDelivery, CompletionsAttempt>(
    async ({ input: { address, batch }, signal }) => {
      const startedAtMs = now();
      const url = pathOn(address, '/delete_requests/');
      for (const body of encodeCompletions(batch.completions, { id, mtoken, form })) {
        await post({ dispatcher, url, body, timeoutMs, signal }).catch(explain);
      }
      return { tookMs: now() - startedAtMs };
    },
  );
}

function explain(error: unknown): never {
  if (!(error instanceof StatusError) || !REFUSALS.includes(error.status)) throw error;
  throw new BatchRefused(error.message, { cause: error });
}
