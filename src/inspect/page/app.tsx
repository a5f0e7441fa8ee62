import { Events } from './events.js';
import { Head, NOT_FOLLOWED } from './head.js';
import { Locked } from './lock.js';
import { Machine } from './machine.js';
import { ModelLog } from './model-log.js';
import type { PageState } from './page-state.js';
import { Plots } from './plots.js';
import { Requests, Sessions } from './tables.js';
import { Timeline } from './timeline.js';

export type Change = (step: (state: PageState) => PageState) => void;

export interface AppProps {
  readonly state: PageState;
  readonly change: Change;
  readonly unlock: (token: string) => void;
}

/** What there is to read before anything is known of the worker. */
const WAITING = {
  connecting: 'Looking for the worker …',
  locked: 'Looking for the worker …',
  following: 'Looking for the worker …',
  lost: 'Nobody answers; it is tried again.',
  silent: `${NOT_FOLLOWED.silent} It is tried again.`,
  crowded: `${NOT_FOLLOWED.crowded} It is tried again.`,
};

/** The page from top to bottom: how the worker is, its machines, its past, its figures, what is in it. */
export function App({ state, change, unlock }: AppProps) {
  if (state.connection === 'locked' && state.lock !== null)
    return <Locked lock={state.lock} unlock={unlock} />;
  const { now } = state;
  if (now === null) return <p class="waiting">{WAITING[state.connection]}</p>;
  // A recording is shown without the cards of what it has not kept.
  const { live } = now;
  return (
    <>
      <a class="skip" href="#machines">
        To the machines
      </a>
      <Head state={state} now={now} />
      <main>
        <Machine state={state} change={change} />
        <Timeline now={now} state={state} />
        {(live || state.samples.length > 0) && <Plots samples={state.samples} />}
        <div class="columns">
          {(live || now.requestsUnderWay.length > 0) && <Requests now={now} />}
          {(live || now.sessions.length > 0) && <Sessions now={now} />}
        </div>
        <div class="columns">
          <Events state={state} change={change} />
          {(live || state.modelLog.length > 0) && <ModelLog lines={state.modelLog} />}
        </div>
      </main>
    </>
  );
}
