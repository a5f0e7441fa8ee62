import { ERRORS } from '../src/errors.js';
import { table } from '../src/graph/markdown.js';
import { METRICS, type MetricRow, OUTCOMES } from '../src/metrics/table.js';
import { LOG_EVENTS } from '../src/operations/log-events.js';
import { QUERIES } from '../src/operations/queries.js';
import { STATES } from '../src/operations/states.js';
import { exitCodesParts } from './exit-codes.js';

const PORT = [
  'The internal port (`WORKER_HTTP_PORT`, by default the one after `WORKER_PORT`) listens on 127.0.0.1. `TSWORKER_INTERNAL_HOST` ' +
    'takes another address; then `TSWORKER_INTERNAL_TOKEN` must be set, else the worker does not start. Where a token is set, each ' +
    'page wants `Authorization: Bearer <token>`, from this machine too, and answers 401 without it. There is no TLS on this port: ' +
    'let its address be one of a private network.',
  'What has a secret of its own (`/session/end`, `/pyworker/update`, and the `/report_…` of the legacy log watchers) needs no token from this machine.',
].join('\n\n');

const PAGES = [
  ['`/livez`', '200 as long as the process answers. Restart it when it does not.'],
  [
    '`/readyz`',
    '200 while requests are accepted, else 503. The body says which state it is, since when, and why: while it loads, what is waited for.',
  ],
  ['`/metrics`', 'The metrics below, in the text format of Prometheus.'],
  [
    '`/autoscale/load`',
    'What a scaler that asks wants to know, as JSON: `inFlight`, `queued`, `pendingWorkload`, `maxPerf`, `utilisation` ' +
      '(`pendingWorkload` ÷ `maxPerf`: seconds of work; 0 while the speed is not known), `rejectedLastMinute`. 200 in every state, draining too.',
  ],
  [
    '`/`',
    'The page that shows the worker at work, with what it needs below `/inspect/`: see [inspecting](inspecting.md). The page itself holds nothing, and wants no token.',
  ],
  ['`/status`', 'Everything that the worker knows of itself, the accounts of its ledger included.'],
  [
    '`DELETE /pyworker/update`',
    'Withdraws an update that was asked for, and is for this machine alone: see [Updates](#updates).',
  ],
] as const;

const AFTER_A_CRASH =
  'What the autoscaler has not acknowledged, and the finished requests that it has not been told of, are kept in a journal in `TSWORKER_STATE_DIR`. It is written within 500 ms of each change, and at once after each acknowledgement; the next worker with the same `CONTAINER_ID` and `WORKER_PORT` goes on from it. So a crash may lose, or tell again, what the last 500 ms held, and no more, as long as the disk can be written. What was in the worker counts as failed, and the autoscaler is told so.';

const UPDATES = [
  'When the autoscaler asks for an update (`POST /pyworker/update` on the public port, with `Authorization: Bearer <MASTER_TOKEN>`), ' +
    'the worker touches `TSWORKER_UPDATE_FILE` and drains as on SIGTERM. Its exit code is 75 then, whether or not requests were cut, ' +
    'so that whoever has started it knows to start it again with the new code:',
  `\`\`\`bash
code=75
while [ "$code" -eq 75 ]; do
  npm install tsworker@latest
  npx tsworker start openai && code=0 || code=$?
done
exit "$code"
\`\`\``,
  'As long as requests are under way the update can be withdrawn, from this machine: `DELETE /pyworker/update` on the internal port, ' +
    'with the same `Authorization`. The worker tells the autoscaler anew that it has loaded, and serves. What was touched stays. ' +
    '409 `nothing_to_withdraw` says that it does not drain for an update, that it was told to stop meanwhile, or that it is too late.',
].join('\n\n');

const SCRAPING = `\`\`\`yaml
scrape_configs:
  - job_name: tsworker
    authorization: { credentials_file: /etc/prometheus/tsworker-token } # where there is a token
    static_configs:
      - targets: ['127.0.0.1:3001']
\`\`\``;

/** The parts of the page for those who look after workers. */
export function operationsParts(): readonly string[] {
  return [
    'What a worker tells those who look after it, and what to do about it. Settings are in [configuration.md](configuration.md), ' +
      'the life of a worker is drawn in [lifecycle.md](lifecycle.md).',
    '## The internal port',
    PORT,
    table(['page', 'what it answers'], PAGES),
    '## States',
    table(
      ['state', 'what it means', 'what to do'],
      Object.entries(STATES).map(([state, { meaning, toDo }]) => [code(state), meaning, toDo]),
    ),
    ...exitCodesParts(),
    '## Updates',
    UPDATES,
    '## After a crash',
    AFTER_A_CRASH,
    '## Metrics',
    'Labels take values that the backend and this package have fixed, never any that a client chose. Requests to routes that need ' +
      'no signature are no work and are not counted; a request that was refused before its signature was found genuine stands in ' +
      '`tsworker_errors_told_total` alone, and so does, in the legacy dialect, every one that was refused at the door.',
    table(['metric', 'type', 'labels', 'meaning'], Object.values<MetricRow>(METRICS).map(metricCells)),
    'How a request can end, as the label `outcome` has it:',
    table(
      ['outcome', 'meaning'],
      Object.entries(OUTCOMES).map(([outcome, meaning]) => [code(outcome), meaning]),
    ),
    '## Queries',
    'Scraped like this:',
    SCRAPING,
    ...QUERIES.flatMap(({ asks, promql }) => [asks, `\`\`\`promql\n${promql}\n\`\`\``]),
    '## Log events',
    'The field `event` of a line says what it is about. Payloads, keys and tokens are in none.',
    table(
      ['event', 'meaning'],
      Object.entries(LOG_EVENTS).map(([event, meaning]) => [code(event), meaning]),
    ),
    '## Error codes',
    'What a client is told as `{"error": "<code>", "message": "…"}`; [errors.md](errors.md) has the form.',
    table(
      ['code', 'status', 'meaning'],
      Object.entries(ERRORS).map(([name, { status, message }]) => [code(name), String(status), message]),
    ),
  ];
}

function metricCells({ name, type, labels, help }: MetricRow): readonly string[] {
  return [code(name), type, labels.map(code).join(', '), `${help}.`];
}

function code(text: string): string {
  return `\`${text}\``;
}
