import type { Express, Request, Response } from 'express';
import { z } from 'zod';
import { sameSecret } from '../auth/equal.js';
import type { Observed } from '../dialects/dialect.js';
import { WorkerError } from '../errors.js';
import { allowOnly } from './allow-only.js';
import type { Bodies } from './bodies.js';
import { decodeBody, parseJson } from './body.js';

/** What a program tells that watches the model server's log from outside. */
export interface WatcherReports {
  loading(): void;
  /** maxPerf: units of work per second; undefined: it did not say. */
  loaded(maxPerf: number | undefined): void;
  failed(message: string): void;
  observed(what: Partial<Observed>): void;
}

export interface WatcherOptions extends WatcherReports {
  readonly masterToken: string;
}

/** A log watcher tells little, and whoever else comes is read before the token is known that stands in the body. */
const LIMIT_BYTES = 64 * 1024;

const speed = z.number().nonnegative().optional();

const capacity = z.object({
  max_batch_tokens: z.number().nonnegative(),
  max_batch_prefill_tokens: z.number().nonnegative().default(0),
  max_capacity: z.number().nonnegative().optional(),
});

const ROUTES = {
  '/report_loading': (_body: unknown, watcher: WatcherReports) => watcher.loading(),
  '/report_loaded': (body: unknown, watcher: WatcherReports) =>
    watcher.loaded(parse(z.object({ loadtime: speed, max_perf: speed }), body).max_perf),
  '/report_capacity': (body: unknown, watcher: WatcherReports) => {
    const told = parse(capacity, body);
    watcher.observed({
      capacity: {
        maxBatchPrefillTokens: told.max_batch_prefill_tokens,
        maxBatchTokens: told.max_batch_tokens,
        // One batch runs at a time: what it holds is what the worker holds.
        maxCapacity: told.max_capacity ?? told.max_batch_tokens,
      },
    });
  },
  '/report_done': (body: unknown, watcher: WatcherReports) => {
    const done = parse(z.object({ tokens_per_second: speed, time_per_token: speed }), body);
    const perToken = done.time_per_token ? 1 / done.time_per_token : undefined;
    const tokensPerSecond = done.tokens_per_second ?? perToken;
    // A time of next to nothing is no speed: what no double holds would be told as null.
    if (tokensPerSecond !== undefined && Number.isFinite(tokensPerSecond)) {
      watcher.observed({ tokensPerSecond });
    }
  },
  '/report_error': (body: unknown, watcher: WatcherReports) =>
    watcher.failed(parse(z.object({ error_msg: z.string() }), body).error_msg),
};

/** The routes of the legacy log watchers. They are on the internal port alone, and want the master token. */
export function addWatcherRoutes(app: Express, options: WatcherOptions, bodies: Bodies): void {
  for (const [path, report] of Object.entries(ROUTES)) {
    app.all(path, async (request: Request, response: Response) => {
      allowOnly('POST', path, request);
      const body = await readJson(request, bodies);
      const { mtoken } = parse(z.object({ mtoken: z.string().default('') }), body);
      if (!sameSecret(mtoken, options.masterToken)) throw new WorkerError('unauthorized');
      report(body, options);
      response.json({ ok: true });
    });
  }
}

async function readJson(request: Request, bodies: Bodies): Promise<unknown> {
  const body = await bodies.read(request, LIMIT_BYTES);
  try {
    return parseJson(decodeBody(request, body));
  } finally {
    bodies.giveBack(body);
  }
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new WorkerError('invalid_request', `${issue?.path.join('.') || 'body'}: ${issue?.message}`);
}
