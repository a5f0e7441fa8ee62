import { ServerlessError } from '../../client/index.js';
import { duration } from '../../config/types.js';
import { endpointTarget } from '../../load/endpoint-target.js';
import { progressText } from '../../load/progress.js';
import { reportOf } from '../../load/report.js';
import { isGood, type LoadSubject, planInWords, resultOf } from '../../load/result.js';
import { type Plan, runLoad } from '../../load/run.js';
import { planText, tableOf } from '../../load/table.js';
import { Tally } from '../../load/tally.js';
import type { Clock, Payloads, Target } from '../../load/target.js';
import { urlTarget } from '../../load/url-target.js';
import { asUserError } from '../client-error.js';
import { EXIT, UserError } from '../exit.js';
import { type Io, print } from '../io.js';
import {
  type Aim,
  aimOf,
  costOf,
  type LoadOptions,
  planOf,
  routeOf,
  thresholdsOf,
  urlWith,
} from '../load-options.js';
import { parseOption } from '../options.js';
import { NO_PAYLOAD, payloadsOf } from '../payloads.js';
import { openReport } from '../report-file.js';
import { untilAskedToStop } from '../signals.js';

/** How often a terminal is told how it goes, and how often a log. */
const TOLD_EVERY_MS = { terminal: 1_000, log: 10_000 } as const;

/** The work that a request to an endpoint is about which nothing is known. */
const USUAL_COST = 100;

/** Puts load on an endpoint or a server, and tells how it bore it. */
export async function load(target: string, options: LoadOptions, io: Io): Promise<number> {
  const aim = aimOf(target, options, io);
  const plan = planOf(options);
  const thresholds = thresholdsOf(options);
  const timeoutMs = parseOption('--timeout', options.timeout, duration);
  const report = options.report === undefined ? undefined : await openReport(options.report);
  const { subject, payloads, open } = await prepare(aim, plan, timeoutMs, options, io);
  const enough = new AbortController();
  void untilAskedToStop(io.env).then(() => enough.abort());
  let beganMs = 0;
  const now: Clock = () => performance.now() - beganMs;
  const opened = await open(now, enough.signal);
  const { durationMs } = subject.plan;
  const tally = new Tally(durationMs);
  io.stderr.write(`${planText(subject.plan)}; Ctrl-C ends it\n`);
  const startedAt = new Date();
  beganMs = performance.now();
  let stoppedMs = durationMs;
  enough.signal.addEventListener('abort', () => (stoppedMs = Math.min(now(), durationMs)));
  const endProgress = tellProgress(() => progressText(tally, now(), durationMs), io);
  try {
    await runLoad({ plan, target: opened, payloads, tally, now, signal: enough.signal });
  } finally {
    endProgress();
    await opened.close();
  }
  const isInterrupted = enough.signal.aborted;
  const result = resultOf({ subject, tally, thresholds, startedAt, stoppedMs, tookMs: now(), isInterrupted });
  await report?.(reportOf(result));
  await print(options.json === true ? `${JSON.stringify(result, null, 2)}\n` : tableOf(result), io);
  return isGood(result) ? EXIT.ok.code : EXIT.failed.code;
}

interface Prepared {
  readonly subject: LoadSubject;
  readonly payloads: Payloads;
  readonly open: (now: Clock, signal: AbortSignal) => Promise<Target>;
}

async function prepare(
  aim: Aim,
  plan: Plan,
  timeoutMs: number,
  options: LoadOptions,
  io: Io,
): Promise<Prepared> {
  const { payload, route: given } = options;
  const cost = costOf(options);
  // What goes to a url is not routed: without a word about it it is no work.
  const otherwise = aim.kind === 'url' ? 0 : USUAL_COST;
  const source =
    payload === undefined ? undefined : await payloadsOf({ payload, route: given, cost, otherwise }, io);
  const route = routeOf(options, source?.route ?? null);
  const words = { payload: source?.from ?? null, plan: planInWords(plan) };
  const payloads: Payloads = source?.payloads ?? (() => NO_PAYLOAD);
  if (aim.kind === 'url') {
    const url = urlWith(aim.url, options, source?.route ?? null);
    const { origin, pathname } = new URL(url);
    const method = source === undefined ? 'GET' : 'POST';
    // A query may hold a secret.
    const subject: LoadSubject = { target: origin + pathname, method, route: null, ...words };
    const { headers } = aim;
    return { subject, payloads, open: async (now) => urlTarget({ url, headers, timeoutMs, now }) };
  }
  if (source === undefined) throw new UserError('an endpoint takes a payload; give one with --payload.');
  if (route === undefined)
    throw new UserError('no route is given; name one such as --route /v1/completions.');
  const { endpoint, maxRetries, ...at } = aim;
  const limits = { timeoutMs, ...(maxRetries !== undefined && { maxRetries }) };
  const subject: LoadSubject = { target: endpoint, method: 'POST', route, ...words };
  return {
    subject,
    payloads,
    open: (now, signal) => {
      const onLookupFailed = tellOnce(
        (what) =>
          `the autoscaler at ${at.autoscalerUrl} was asked in vain (${what}); trying for ${timeoutMs / 1_000} s (--timeout), Ctrl-C ends it`,
        io,
      );
      return endpointTarget({ ...at, ...limits, endpoint, route, now, signal, onLookupFailed }).catch(
        tellUser,
      );
    },
  };
}

function tellOnce(text: (what: string) => string, { stderr }: Io): (what: string) => void {
  let isTold = false;
  return (what) => {
    if (!isTold) stderr.write(`${text(what)}\n`);
    isTold = true;
  };
}

function tellUser(error: unknown): never {
  if (error instanceof ServerlessError && error.code === 'aborted') {
    throw new UserError('it was stopped before it began.', EXIT.failed.code);
  }
  throw asUserError(error);
}

/** Shows how it goes until the returned function is called: on a terminal in one line, which is written over. */
function tellProgress(text: () => string, { stderr }: Io): () => void {
  const isTerminal = stderr.isTTY === true;
  const everyMs = isTerminal ? TOLD_EVERY_MS.terminal : TOLD_EVERY_MS.log;
  const timer = setInterval(() => stderr.write(isTerminal ? `\r\x1b[K${text()}` : `${text()}\n`), everyMs);
  return () => {
    clearInterval(timer);
    if (isTerminal) stderr.write('\r\x1b[K');
  };
}
