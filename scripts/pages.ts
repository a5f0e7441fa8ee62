import { SETTINGS, type Setting } from '../src/config/index.js';
import { ERRORS } from '../src/errors.js';
import { machines } from '../src/graph/machines.js';
import { table, toMarkdown } from '../src/graph/markdown.js';
import { exitCodesParts } from './exit-codes.js';
import { operationsParts } from './operations-page.js';

/** The pages of docs/ that are made from the code, by file name. `npm run docs` writes them. */
export function generatedPages(): Readonly<Record<string, string>> {
  return {
    'lifecycle.md': machinePage(
      'lifecycle',
      'The life of a worker, drawn from `machines/lifecycle.ts`. The `work` region is what the worker does for its ' +
        'clients, the `report` region whether a report is on its way, the `watch` region whether the health of the ' +
        'model is watched, the `server` region whether the worker runs the model server itself; the four run side by side.',
    ),
    'reporter.md': machinePage(
      'reporter',
      'When the autoscaler is told what, and at which of its addresses, drawn from `machines/reporter.ts`.',
    ),
    'completions.md': machinePage(
      'completions',
      'How the autoscaler is told which requests have finished, so that it lets them go, drawn from `machines/completions.ts`.',
    ),
    'public-key.md': machinePage(
      'public-key',
      'How the worker comes by the public key of its autoscaler, and keeps it fresh, drawn from `machines/public-key.ts`.',
    ),
    'readiness.md': machinePage(
      'readiness',
      'What has to happen before a model is ready, drawn from `machines/readiness.ts`: the `load` of the lifecycle.',
    ),
    'reload.md': machinePage(
      'reload',
      'When a model whose load has failed is loaded anew, drawn from `machines/reload.ts`.',
    ),
    'benchmark.md': machinePage(
      'benchmark',
      'How the speed of a model is found out, drawn from `machines/benchmark.ts`.',
    ),
    'health.md': machinePage(
      'health',
      'How a model that has loaded is watched, drawn from `machines/health.ts`.',
    ),
    'supervisor.md': machinePage(
      'supervisor',
      'How a model server that the worker starts itself is kept running, drawn from `machines/supervisor.ts`.',
    ),
    'fleet-worker.md': machinePage(
      'fleet-worker',
      'One worker of the fleet that the local autoscaler starts and stops, drawn from `machines/fleet-worker.ts`.',
    ),
    'configuration.md': configurationPage(),
    'errors.md': errorsPage(),
    'operations.md': page('Operations', ...operationsParts()),
  };
}

const NOTICE = '<!-- Made from the code by `npm run docs`. -->';

function machinePage(name: string, about: string): string {
  const machine = machines[name];
  if (machine === undefined) throw new Error(`There is no machine ${name}.`);
  return page(title(name), about, toMarkdown(machine, { about: `The ${name} machine`, file: `${name}.svg` }));
}

function configurationPage(): string {
  const rows = Object.values<Setting>(SETTINGS).map((setting) => [
    [`\`${setting.variable}\``, setting.legacyVariable && `(or \`${setting.legacyVariable}\`)`]
      .filter(Boolean)
      .join(' '),
    setting.option ? `\`${setting.option}\`` : '',
    setting.type.takes,
    setting.otherwise ?? (setting.fallback === '' ? 'empty' : `\`${setting.fallback}\``),
    setting.about,
  ]);
  return page(
    'Configuration',
    'A worker reads its settings from the environment; an option on the command line goes over it. An empty variable ' +
      'counts as one that is not set. With a wrong value nothing is started: a line names the variable, and the exit code is 2. ' +
      'A worker on an instance first stays to tell its autoscaler so ([exit codes](errors.md#exit-codes)).',
    table(['variable', 'option', 'takes', 'default', 'what it is about'], rows),
  );
}

function errorsPage(): string {
  const errors = Object.entries(ERRORS).map(([code, { status, message }]) => [
    `\`${code}\``,
    String(status),
    message,
  ]);
  return page(
    'Errors',
    'Every error that a client is told is JSON: `{"error": "<code>", "message": "<for people>"}`. Programs go by the code. ' +
      'Only `invalid_envelope` is told as the wire wants it: `{"<field>": "<what is wrong>"}`.',
    table(['code', 'status', 'message where there is no better one'], errors),
    ...exitCodesParts(),
  );
}

function page(heading: string, ...parts: readonly string[]): string {
  return `${[`# ${heading}`, NOTICE, ...parts].join('\n\n')}\n`;
}

function title(name: string): string {
  return `The ${name.replaceAll('-', ' ')}`;
}
