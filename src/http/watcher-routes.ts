import type { Express, Request, Response } from 'express';
import { z } from 'zod';
import { sameSecret } from '../auth/equal.js';
import { WorkerError } from '../errors.js';
import { allowOnly } from './allow-only.js';
import { decodeBody, parseJson, readBody } from './body.js';

/** What a program tells that watches the model server's log from outside. */
export interface WatcherReports {
  loading(): void;
  /** maxPerf: units of work per second; undefined: it did not say. */
  loaded(maxPerf: number | undefined): void;
  failed(message: string): void;
  observed(what: { readonly tokensPerSecond?: number; readonly maxBatchTokens?: number }): void;
}

export interface WatcherOptions extends WatcherReports {
  readonly masterToken: string;
}

const speed = z.number().nonnegative().optional();

const ROUTES = {
  '/report_loading': (_body: unknown, watcher: WatcherReports) => watcher.loading(),
  '/report_loaded': (body: unknown, watcher: WatcherReports) =>
    watcher.loaded(parse(z.object({ loadtime: speed, max_perf: speed }), body).max_perf),
  '/report_capacity': (body: unknown, watcher: WatcherReports) => {
    const { max_batch_tokens } = parse(z.object({ max_batch_tokens: z.number().nonnegative() }), body);
    watcher.observed({ maxBatchTokens: max_batch_tokens });
  },
  '/report_done': (body: unknown, watcher: WatcherReports) => {
    const done = parse(z.object({ tokens_per_second: speed, time_per_token: speed }), body);
    const perToken = done.time_per_token ? 1 / done.time_per_token : undefined;
    const tokensPerSecond = done.tokens_per_second ?? perToken;
    if (tokensPerSecond !== undefined) watcher.observed({ tokensPerSecond });
  },
  '/report_error': (body: unknown, watcher: WatcherReports) =>
    watcher.failed(parse(z.object({ error_msg: z.string() }), body).error_msg),
};

/** The routes of the legacy log watchers. They are on the internal port alone, and want the master token. */
export function addWatcherRoutes(app: Express, options: WatcherOptions, bodyLimitBytes: number): void {
  for (const [path, report] of Object.entries(ROUTES)) {
    app.all(path, async (request: Request, response: Response) => {
      allowOnly('POST', path, request);
      const body = parseJson(decodeBody(request, await readBody(request, bodyLimitBytes)));
      const { mtoken } = parse(z.object({ mtoken: z.string().default('') }), body);
      if (!sameSecret(mtoken, options.masterToken)) throw new WorkerError('unauthorized');
      report(body, options);
      response.json({ ok: true });
    });
  }
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new WorkerError('invalid_request', `${issue?.path.join('.') || 'body'}: ${issue?.message}`);
}
