import { useState } from 'preact/hooks';
import type { Happening } from '../contract.js';
import type { Change } from './app.js';
import { listed, type PageState } from './page-state.js';
import { lookAt } from './travel.js';
import { counted, nameOf, timeOf } from './words.js';

const MOST_ROWS = 150;

/** What has happened, newest first. */
export function Events({ state, change }: { readonly state: PageState; readonly change: Change }) {
  const [rows, more] = listed(state, MOST_ROWS);
  const isPaused = state.paused !== null;
  const onPause = () =>
    change((before) => ({ ...before, paused: before.paused === null ? before.happenings : null }));
  return (
    <section class="card" aria-labelledby="events-title">
      <h2 id="events-title">Events</h2>
      <div class="tools">
        <label class="filter">
          <span class="hidden-words">Filter by event or actor; a word after a minus is left out</span>
          <input
            type="search"
            placeholder="Filter; -health hides it"
            value={state.filter}
            onInput={({ currentTarget: { value } }) => change((before) => ({ ...before, filter: value }))}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={state.showsRequests}
            onChange={({ currentTarget: { checked } }) =>
              change((before) => ({ ...before, showsRequests: checked }))
            }
          />
          requests
        </label>
        <button type="button" aria-pressed={isPaused} onClick={onPause}>
          {isPaused ? 'Go on' : 'Pause'}
        </button>
      </div>
      {rows.length === 0 ? (
        <p class="empty">
          {state.filter === '' ? 'Nothing has happened yet.' : 'Nothing that is kept matches the filter.'}
        </p>
      ) : (
        <ol class="events scroll" tabIndex={0} aria-labelledby="events-title">
          {rows.map((each) => (
            <Row key={each.seq} each={each} isLookedAt={each.seq === state.looked?.at.seq} change={change} />
          ))}
        </ol>
      )}
      {more > 0 && <p class="empty">and {counted(more)} before them, which the filter finds</p>}
    </section>
  );
}

interface RowProps {
  readonly each: Happening;
  readonly isLookedAt: boolean;
  readonly change: Change;
}

function Row({ each, isLookedAt, change }: RowProps) {
  const [isOpen, setOpen] = useState(false);
  const { seq, atMs, actor, kind, event, from, to, details } = each;
  const entered = to?.filter((state) => from?.includes(state) !== true) ?? [];
  return (
    <li class={`happening is-${kind}${isLookedAt ? ' is-looked-at' : ''}`}>
      <button type="button" class="row" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <span class="time">{timeOf(atMs)}</span>
        <span class="what">{event === '' ? kind : event}</span>
        <span class="who">{nameOf(actor)}</span>
        {entered.length > 0 && <span class="to">→ {entered.join(', ')}</span>}
      </button>
      {isOpen && (
        <div class="details">
          <p>
            {kind} of <code>{actor}</code>
            {from !== undefined && <> in {from.join(', ')}</>}
          </p>
          {details !== undefined && <pre>{JSON.stringify(details, null, 2)}</pre>}
          <button
            type="button"
            onClick={() =>
              change((before) => ({
                ...lookAt(before, seq),
                actor: each.machine === '' ? before.actor : actor,
              }))
            }
          >
            Look at the machines at this moment
          </button>
        </div>
      )}
    </li>
  );
}
