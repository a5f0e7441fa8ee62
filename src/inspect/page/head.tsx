import type { Happening, Now } from '../contract.js';
import type { PageState } from './page-state.js';
import { workAt } from './travel.js';
import { figure, nameOf, spanOf, timeOf, units } from './words.js';

/** Why the worker is not followed, of what is tried again. */
export const NOT_FOLLOWED = {
  lost: 'The worker does not answer.',
  silent: 'The worker is silent: there is a connection, and nothing comes of it.',
  crowded: 'As many pages as the worker serves at once look at it already.',
} as const;

/** How the worker is, in a glance and in a sentence. */
export function Head({ state, now }: { readonly state: PageState; readonly now: Now }) {
  const { worker } = now;
  const looked = state.looked?.at;
  const shown = looked === undefined ? worker.state : (workAt(state, looked.seq) ?? 'unknown');
  return (
    <header class={`head is-${shown}`}>
      <div class="title">
        <h1>
          tsworker <span class="backend">{worker.backend}</span>
        </h1>
        {looked !== undefined && <p class="following past">the past, at {timeOf(looked.atMs)}</p>}
        {(looked === undefined || state.connection !== 'following' || !now.live) && (
          <Following state={state} now={now} />
        )}
      </div>
      <div class="how">
        <p class="state">
          <span class="lamp" aria-hidden="true" />
          <span class="name" role="status">
            {shown}
          </span>
          <span class="since">
            {looked === undefined ? `for ${spanOf(worker.inStateMs)}` : `at ${timeOf(looked.atMs)}`}
          </span>
        </p>
        <p class="why">{looked === undefined ? whyOf(state, now) : pastOf(looked, now)}</p>
      </div>
      <dl class="facts">
        <Fact name="under way" value={figure(worker.requestsUnderWay)} />
        <Fact name="waiting" value={figure(worker.requestsQueued)} />
        <Fact name="sessions" value={figure(worker.sessions)} />
        <Fact name="work inside" value={units(worker.pendingWorkload)} />
        <Fact name="speed" value={worker.maxPerf > 0 ? `${units(worker.maxPerf)}/s` : 'not measured'} />
        <Fact name="served" value={units(worker.ledger.totals.served)} />
        <Fact name="not told yet" value={units(worker.ledger.unreported.received)} />
        <Fact name="up" value={spanOf(now.atMs - now.startedAtMs)} />
      </dl>
    </header>
  );
}

/** Whether it takes requests, and why not. */
function whyOf({ connection }: PageState, { ready, whyNotReady }: Now): string {
  if (!ready) return whyNotReady;
  return connection === 'following' ? 'It takes requests.' : 'It took requests.';
}

/** That the past is shown, and what of it. */
function pastOf({ event, kind, actor }: Happening, { live, worker }: Now): string {
  const what = `So it was after “${event === '' ? kind : event}” of ${nameOf(actor)}.`;
  return live
    ? `${what} Now it is ${worker.state}, and the figures are those of now.`
    : `${what} The figures are those of the end.`;
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Following({ state, now }: { readonly state: PageState; readonly now: Now }) {
  if (!now.live)
    return (
      <p class="following recorded">
        a recording of {new Date(now.startedAtMs).toLocaleString()}
        {now.cutShort !== undefined && `; ${now.cutShort}, and says nothing of what came then`}
      </p>
    );
  const { connection } = state;
  if (connection === 'lost' || connection === 'silent' || connection === 'crowded') {
    return (
      <p class="following lost" role="alert">
        {NOT_FOLLOWED[connection]} As it was at {timeOf(now.atMs)}; it is tried again.
      </p>
    );
  }
  return <p class="following">live</p>;
}
