import { styleText } from 'node:util';
import { type Backend, type CompiledRoute, DEFAULT_WORKLOAD, workloadOf } from '../backend/index.js';
import type { Log } from '../log.js';
import { COMMAND_LINE } from './command-line.js';
import { hasColors, type Io } from './io.js';

export interface Banner {
  readonly backend: Backend;
  readonly workerUrl: string;
  /** The page that shows the worker at work. */
  readonly pageUrl: string;
  readonly statusUrl: string;
  readonly autoscalerUrl: string | undefined;
  /** The base address for clients of OpenAI's protocol, where the backend speaks it. */
  readonly openaiUrl: string | undefined;
  /** Whether requests come in an envelope, and whether it must be signed. */
  readonly envelope: 'none' | 'unsigned' | 'signed';
  /** What clients authorise with at the autoscaler. Shown on a terminal only: it must not get into a log. */
  readonly apiKey: string | undefined;
  /** Whether the key is the one in the environment, and not made for this run. */
  readonly isKeyGiven: boolean;
}

const DEFAULT_AUTOSCALER = 'http://127.0.0.1:8080';

/** Says where everything is and what to try: to a person on a terminal, else to the log. */
export function showBanner(banner: Banner, log: Log, io: Io): void {
  const { backend, workerUrl, pageUrl, statusUrl, autoscalerUrl, openaiUrl, apiKey } = banner;
  const routes = [...backend.routes.values()].filter((route) => isOpen(route, banner));
  const commands = routes.map((route) => commandFor(route, banner));
  if (!io.stdout.isTTY) {
    log.info(`${backend.name} listens on ${workerUrl}, see it at work on ${pageUrl}`, {
      event: 'listening',
      workerUrl,
      pageUrl,
      statusUrl,
      autoscalerUrl,
      ...(openaiUrl && { openaiUrl }),
    });
    if (isOffTheMap(banner)) log.info(NO_ROUTES, { event: 'noRoutes' });
    if (apiKey !== undefined) log.info(`first: ${whereTheKeyIs(banner)}`, { event: 'try.key' });
    for (const command of commands) log.info(`try: ${command}`, { event: 'try', command });
    return;
  }
  // Whether there are colours is said by what it writes to, not by this process's own output.
  const paint = (style: 'bold' | 'cyan' | 'dim', text: string) =>
    hasColors(io) ? styleText(style, text, { validateStream: false }) : text;
  const row = (name: string, value: string) => `  ${paint('dim', name.padEnd(11))} ${value}`;
  const lines = [
    '',
    `  ${paint('bold', backend.name)} ${paint('dim', backend.description)}`,
    '',
    row('worker', paint('cyan', workerUrl)),
    row('page', paint('cyan', pageUrl)),
    row('status', paint('cyan', statusUrl)),
    row(
      'autoscaler',
      autoscalerUrl ? paint('cyan', `${autoscalerUrl}/`) : 'none: this backend reports nothing',
    ),
    ...(openaiUrl === undefined ? [] : [row('openai', paint('cyan', openaiUrl))]),
    ...(isOffTheMap(banner) ? [row('', NO_ROUTES)] : []),
    '',
    ...(apiKey === undefined ? [] : [row('first', `export TSWORKER_API_KEY=${apiKey}`)]),
    ...commands.map((command, index) => row(index === 0 ? 'try' : '', command)),
    row('stop', 'Ctrl-C; a second one stops at once'),
    '',
  ];
  io.stdout.write(`${lines.join('\n')}\n`);
}

const NO_ROUTES =
  'the autoscaler sends nobody here, since this worker tells its address in the current dialect only: start it with TSWORKER_DIALECT=current for that';

function isOffTheMap({ backend, autoscalerUrl }: Banner): boolean {
  return autoscalerUrl !== undefined && !tellsAddress(backend);
}

/** In `legacy` only workers with a model server tell where they are. */
export function tellsAddress({ dialect, model }: Backend): boolean {
  return dialect !== 'legacy' || model !== null;
}

/** What somebody has to do who can not be shown the key. */
function whereTheKeyIs({ isKeyGiven }: Banner): string {
  if (isKeyGiven) return 'export the TSWORKER_API_KEY that this was started with';
  return 'start again with a TSWORKER_API_KEY of your own, and export the same where you try this: the one that was made up is shown on a terminal only';
}

/** Whether it can be tried by hand: where requests must be signed, a POST alone is signed by who tries it. */
function isOpen({ method, public: isPublic }: CompiledRoute, { envelope }: Banner): boolean {
  return envelope !== 'signed' || method === 'POST' || isPublic;
}

function commandFor(route: CompiledRoute, { workerUrl, autoscalerUrl, envelope }: Banner): string {
  if (envelope !== 'signed' || route.method !== 'POST') return curl(workerUrl, route, envelope !== 'none');
  const autoscaler = autoscalerUrl === DEFAULT_AUTOSCALER ? '' : ` --autoscaler ${autoscalerUrl}`;
  return `${requestFor(route)}${autoscaler}`;
}

/** The command that sends the example of a route, announced as the work that the backend counts for it. */
export function requestFor(route: CompiledRoute): string {
  const { path, example = {} } = route;
  const workload = workloadOf(route, example, () => {});
  // No request is announced as no work.
  const cost = workload === DEFAULT_WORKLOAD || workload === 0 ? '' : ` --cost ${workload}`;
  return `${COMMAND_LINE} request ${path} ${quoted(JSON.stringify(example))}${cost}`;
}

function curl(
  workerUrl: string,
  { method, path, example = {} }: CompiledRoute,
  hasEnvelope: boolean,
): string {
  const url = `${workerUrl}${path}`;
  if (method === 'GET') return `curl ${url}`;
  const body = JSON.stringify(hasEnvelope ? { payload: example } : example);
  const verb = method === 'POST' ? '' : `-X ${method} `;
  return `curl ${verb}${url} -H 'content-type: application/json' -d ${quoted(body)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Whether clients of OpenAI's protocol find anything that they know. */
export function speaksOpenai({ dialect, routes }: Backend): boolean {
  return dialect === 'current' && [...routes.values()].some(({ path }) => path.startsWith('/v1/'));
}
