import type { Layout, Statechart } from '../graph/chart.js';
import type { WorkerView } from '../view.js';

/**
 * What the inspector says to its page, to whoever records a run, and to what replays it: JSON throughout, types alone
 * here. Secrets are taken out of all of it, and payloads are never in it.
 *
 * On the internal port:
 *
 * - `GET /` the page, and `GET /assets/…` its files. They hold nothing of the worker, and need no token.
 * - `GET /inspect/charts` → `Charts`
 * - `GET /inspect/now` → `Now`
 * - `GET /inspect/samples` → `Sample[]`, oldest first
 * - `GET /inspect/recording` → `History`: all that is still kept, for time travel
 * - `GET /inspect/events` → server-sent events, see `StreamEvents`
 *
 * All of `/inspect/` wants `Authorization: Bearer <token>` where a token is set, and a browser's `EventSource` can
 * send none: the page reads the stream with `fetch`. A 401 asks for the token.
 */

export type { Box, ChartState, ChartTransition, Edge, Layout, Point, Statechart } from '../graph/chart.js';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [member: string]: Json };

/** A machine with where its parts stand, by the name of the machine. */
export type Charts = Readonly<Record<string, { readonly chart: Statechart; readonly layout: Layout }>>;

/**
 * transition: an actor heard an event and a transition was taken, though it may have stayed where it was;
 * event: it heard one, and nothing came of it; request: one of the events in `machines/events.ts`,
 * a hundred requests a second at most, or `requests.unnoted` with the `count` of the others; log: what the worker told its log.
 */
export type HappeningKind = 'transition' | 'event' | 'actor.started' | 'actor.stopped' | 'request' | 'log';

/** One thing that happened. */
export interface Happening {
  /** One more than that of the happening before it: a number that is missing was not kept. */
  readonly seq: number;
  /** Unix time. */
  readonly atMs: number;
  /** The actor that it happened to, as a path: `lifecycle`, `lifecycle/load`, `lifecycle/load/benchmark`. For a request and for the log: `worker`. */
  readonly actor: string;
  /** The name under which its machine is drawn; empty: it is no statechart. */
  readonly machine: string;
  /** The number of this among what has happened to its actor, which starts with 0. */
  readonly nth: number;
  readonly kind: HappeningKind;
  /** As it is called in the machines, in the log and in the docs: `stop.requested`, `load done`, `request.started`. */
  readonly event: string;
  /** The states in which the actor was, by the ids of those that have none inside. */
  readonly from?: readonly string[];
  /** The states in which it is now. */
  readonly to?: readonly string[];
  /** The ids of the transitions that were taken, in their order. */
  readonly took?: readonly string[];
  /** The event itself, or for an actor that has started its input, as a copy without secrets. */
  readonly details?: Json;
}

/** An actor that lives. */
export interface ActorNow {
  readonly actor: string;
  readonly machine: string;
  readonly states: readonly string[];
  /** When it entered the last of them: Unix time. */
  readonly sinceMs: number;
}

export interface SessionNow {
  /** Its beginning alone: who knows all of it can use the session. */
  readonly id: string;
  readonly state: 'active' | 'closing';
  /** Units of work that it counts as. */
  readonly workload: number;
  /** Requests of it that are under way. */
  readonly inFlight: number;
  /** Unix times. */
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export interface RequestNow {
  /** The worker's own. */
  readonly id: number;
  /** As the backend declares it. */
  readonly route: string;
  readonly kind: 'request' | 'in-session';
  readonly state: 'queued' | 'working' | 'streaming';
  /** When it came: Unix time. */
  readonly sinceMs: number;
  readonly workload: number;
}

/** One stay in a state of the lifecycle's work. */
export interface Stay {
  /** Its number among all of them, which starts with 0: those before the first that is told are no longer kept. */
  readonly nth: number;
  readonly state: string;
  readonly fromMs: number;
  /** null: it is there still. */
  readonly toMs: number | null;
  readonly reason: string;
}

/** The worker as it is. */
export interface Now {
  /** Of the last happening that this knows of. */
  readonly seq: number;
  /** Unix time. */
  readonly atMs: number;
  /** False: a recording is shown, and this is its end. */
  readonly live: boolean;
  /** Why the recording that is shown ends before the worker did, in words; left out: it does not, or none is shown. */
  readonly cutShort?: string;
  readonly version: string;
  readonly startedAtMs: number;
  readonly ready: boolean;
  /** Why it is not ready, as a sentence for people; empty: it is. */
  readonly whyNotReady: string;
  /** As on `/status`. */
  readonly worker: WorkerView;
  readonly actors: readonly ActorNow[];
  readonly sessions: readonly SessionNow[];
  /** Those that came first; `worker.requestsUnderWay` counts all. */
  readonly requestsUnderWay: readonly RequestNow[];
  /** Since the worker started, or since as long as is kept. */
  readonly timeline: readonly Stay[];
  /** The last lines of the model's log. */
  readonly modelLog: readonly string[];
}

/**
 * The worker as its stream tells it: first as it is, later without what was told already. The timeline is then of those
 * stays alone that are new or have changed, and the log is told by `log`.
 */
export type ToldNow = Omit<Now, 'modelLog'> & { readonly modelLog?: Now['modelLog'] };

/** How it went in one second. Where several were made one, as of those that are long ago: their mean, of latencies the worst. */
export interface Sample {
  /** Unix time of its end. */
  readonly atMs: number;
  /** Units of work in the worker. */
  readonly load: number;
  /** Units of work served in it. */
  readonly served: number;
  /** Requests. */
  readonly queued: number;
  readonly inFlight: number;
  /** Of the requests that ended in it; null: none did. */
  readonly latencyP50Ms: number | null;
  readonly latencyP99Ms: number | null;
  readonly firstByteP50Ms: number | null;
  /** How long ago the last report was acknowledged; null: none was. */
  readonly reportLagMs: number | null;
  readonly rssMib: number;
  readonly heapMib: number;
  readonly eventLoopLagMs: number;
}

/**
 * What `/inspect/events` sends, by the name of the event. Its id is the `seq` of the last happening that it or one
 * before it told of. Who sends `Last-Event-ID` (or `?after=`) is told what has happened since as far as it is kept: a
 * gap in `seq` is what is not. `?requests=false` leaves out what happens to requests. A comment every 15 seconds says that the
 * worker is there. A reader that is slow misses what is no longer kept, and is told the newest `now`.
 */
export interface StreamEvents {
  /** First of all, and when something of it has changed, twice a second at most. `withTold` makes the whole of it. */
  readonly now: ToldNow;
  /** Gathered for a few hundredths of a second. */
  readonly happened: readonly Happening[];
  /** Every second. */
  readonly sample: Sample;
  /** New lines of the model's log. */
  readonly log: readonly string[];
}

/** The first line of a recording. */
export interface RecordingHeader {
  readonly recording: 1;
  /** Of the package. */
  readonly version: string;
  /** A digest of the definition of each machine, by name: whether it is the one of today. */
  readonly machines: Readonly<Record<string, string>>;
  readonly backend: string;
  readonly startedAtMs: number;
}

/** The last line of a recording that was ended, rather than broken off. */
export interface RecordingEnd {
  /** full: it had as many bytes as it may have; interrupted: who recorded it had seen enough, and the worker went on. */
  readonly ended: 'stopped' | 'full' | 'lost' | 'interrupted';
  readonly atMs: number;
  /** How many happenings it holds. Older recordings do not say it. */
  readonly events?: number | undefined;
  /** How many it should hold, and does not. */
  readonly missed?: number | undefined;
}

/** A recording is a file of these, one a line, as JSON. */
export type RecordingLine = RecordingHeader | Happening | { readonly now: Now } | RecordingEnd;

/** All that is kept of a worker, or what is shown of a recording. */
export interface History {
  readonly header: RecordingHeader;
  /** How many happenings there were. When these are fewer, the oldest of what there was most of are left out. */
  readonly happened: number;
  /** Oldest first. */
  readonly happenings: readonly Happening[];
}
