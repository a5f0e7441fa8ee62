import type { Happening } from '../contract.js';
import type { Change } from './app.js';
import { Chart } from './chart.js';
import { METRICS, Metrics } from './metrics.js';
import type { PageState } from './page-state.js';
import { type ActorThen, actorsAt, isStep, lookAt, pastOf, stepFrom } from './travel.js';
import { counted, inRow, nameOf, timeOf, units } from './words.js';

/** A machine with its state lit, those that it has invoked one click away, and the way through time. */
export function Machine({ state, change }: { readonly state: PageState; readonly change: Change }) {
  const actors = actorsAt(state, state.looked?.at.seq ?? null);
  const isLive = state.looked === null;
  const shown = [...actors.values()].filter(({ machine }) => state.charts[machine] !== undefined);
  const actor = actors.get(state.actor);
  const chart = state.charts[actor?.machine ?? ''];
  return (
    <section class="card machine" id="machines" aria-labelledby="machine-title" tabIndex={-1}>
      <h2 id="machine-title">Machines</h2>
      <nav class="tabs" aria-label="Machines that run">
        {shown.map((each) => (
          <button
            key={each.actor}
            type="button"
            aria-pressed={each.actor === state.actor}
            onClick={() => change((before) => ({ ...before, actor: each.actor }))}
          >
            {nameOf(each.actor)}
            <span class="leaf">{leavesOf(each)}</span>
          </button>
        ))}
        {state.now !== null && (
          <button
            type="button"
            aria-pressed={state.actor === METRICS}
            onClick={() => change((before) => ({ ...before, actor: METRICS }))}
          >
            {nameOf(METRICS)}
            <span class="leaf">{units(state.now.worker.ledger.totals.received)}</span>
          </button>
        )}
      </nav>
      {state.actor === METRICS && state.now !== null ? (
        <Metrics now={state.now} />
      ) : actor === undefined || chart === undefined ? (
        <p class="empty">“{nameOf(state.actor)}” does not run at this moment.</p>
      ) : (
        <>
          <Caption actor={actor} recent={recentOf(actor, isLive)} />
          <Chart
            chart={chart.chart}
            layout={chart.layout}
            states={actor.states}
            recent={recentOf(actor, isLive)}
          />
        </>
      )}
      <Travel state={state} change={change} />
    </section>
  );
}

/** Only the first of its states has room, which is the one that people ask for. */
function leavesOf({ states }: ActorThen): string {
  return nameOf(states[0]?.replaceAll('.', '/') ?? '');
}

/** Who goes step by step sees each by itself. */
function recentOf({ last, recent }: ActorThen, isLive: boolean): readonly Happening[] {
  if (isLive) return recent;
  return last === undefined ? [] : [last];
}

function Caption({ actor, recent }: { readonly actor: ActorThen; readonly recent: readonly Happening[] }) {
  const [first] = recent;
  return (
    <p class="caption">
      <span class="in">
        in <strong>{actor.states.join(', ')}</strong>
      </span>
      {first !== undefined && (
        <span class="by">
          last <strong>{inRow(recent.map(({ event }) => (event === '' ? 'at once' : event)))}</strong> at{' '}
          {timeOf(first.atMs)}
        </span>
      )}
      {actor.mayHaveMoved && <span class="unsure">or elsewhere: what it did next is not kept</span>}
    </p>
  );
}

function Travel({ state, change }: { readonly state: PageState; readonly change: Change }) {
  const steps = pastOf(state).filter(isStep);
  const isLive = state.looked === null;
  const at = state.looked?.at.seq ?? Number.POSITIVE_INFINITY;
  const index = steps.findLastIndex(({ seq }) => seq <= at);
  const looked = steps[index];
  const go = (by: -1 | 1) => change((before) => lookAt(before, stepFrom(before, by)));
  return (
    <div class="travel" role="group" aria-label="Travel through time">
      <button type="button" onClick={() => go(-1)} disabled={index <= 0} aria-label="One step back">
        ◀
      </button>
      <input
        type="range"
        min={0}
        max={Math.max(0, steps.length - 1)}
        value={Math.max(0, index)}
        aria-label="Moment that is shown"
        aria-valuetext={
          looked === undefined ? '' : `${timeOf(looked.atMs)}, ${looked.event} of ${nameOf(looked.actor)}`
        }
        onInput={({ currentTarget: { value } }) =>
          change((before) => {
            const step = pastOf(before).filter(isStep)[Number(value)];
            return lookAt(before, step?.seq ?? null);
          })
        }
      />
      <button type="button" onClick={() => go(1)} disabled={isLive} aria-label="One step forward">
        ▶
      </button>
      <button
        type="button"
        class="live"
        aria-pressed={isLive}
        onClick={() => change((before) => lookAt(before, null))}
      >
        {state.now?.live === false ? 'End' : 'Live'}
      </button>
      <p class="moment" aria-live={isLive ? 'off' : 'polite'}>
        {state.looked === null
          ? `as it ${state.now?.live === false ? 'was at the end' : 'is now'}, after ${steps.length} steps`
          : looked === undefined
            ? `${timeOf(state.looked.at.atMs)}: before the first of ${steps.length} steps`
            : `${timeOf(looked.atMs)}: ${looked.event === '' ? looked.kind : looked.event} of ${nameOf(looked.actor)} (${index + 1} of ${steps.length})`}
      </p>
      {state.leftOut > 0 && (
        <p class="moment left-out">
          {counted(state.happenings.length)} of {counted(state.leftOut + state.happenings.length)} events are
          shown: of what came often the last alone.
        </p>
      )}
    </div>
  );
}
