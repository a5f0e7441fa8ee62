import type { InspectionEvent } from 'xstate';
import type { RequestEvent } from '../../machines/events.js';
import type { Bus } from '../bus.js';
import { messageOf } from '../errors.js';
import type { Log, LogFields } from '../log.js';
import type { Redact } from '../redact.js';
import type { Happening, Json, Now, RecordingHeader, Sample } from './contract.js';
import { CUT, copyOf } from './copy.js';
import { hearing } from './hearing.js';
import { LineLog } from './line-log.js';
import { nowOf, ROWS, type Rows } from './now.js';
import { Recorder, type RecorderOptions } from './recorder.js';
import { headerOf } from './recording.js';
import { asKept, type Kept, Ring } from './ring.js';
import { Sampler } from './sampler.js';
import { Samples } from './samples.js';
import { Sieve } from './sieve.js';
import type { Lines, Reader, Source } from './source.js';
import { StatelySink } from './stately.js';
import { Timeline } from './timeline.js';
import { ActorWatch, type Seen } from './watch.js';

export interface InspectorOptions {
  readonly version: string;
  readonly backend: string;
  readonly redact: Redact;
  readonly log: Log;
  /** Monotonic, in ms. */
  readonly now: () => number;
  /** Where the run is recorded from its beginning; null: nowhere. */
  readonly recordTo: Pick<RecorderOptions, 'path' | 'namedBy' | 'maxBytes'> | null;
  /** Where Stately's inspector is told of it, a file or `-`; null: nowhere. */
  readonly statelyTo: string | null;
  /** Who else hears what xstate says of the actors. */
  readonly inspect?: ((event: InspectionEvent) => void) | undefined;
}

/** What the inspector looks at once the worker has begun. */
export interface Inspected {
  readonly bus: Bus;
  readonly view: () => Now['worker'];
  /** Sessions and requests, with monotonic times. */
  readonly rows: (most: number) => Rows;
}

const LIMITS = { count: 5_000, bytes: 4 * 2 ** 20 };

/** So many requests of a second were not noted one by one. */
const UNNOTED = 'requests.unnoted';

/** Of the details of one happening. Nothing is cut of what is recorded, within reason. */
const CHARACTERS = 8 * 1024;
const RECORDED_CHARACTERS = 2 ** 20;

/**
 * Knows what the worker does, and what it did: it hears its machines, its log, its requests and its model, and keeps
 * what may be shown of it, without secrets and within bounds. What happens to requests is noted only while somebody
 * looks; of the machines all is, since whoever looks wants to know how it came to this, and it happens seldom.
 */
export class Inspector implements Source {
  readonly #options: InspectorOptions;
  readonly #startedAtMs = Date.now();
  readonly #watch: ActorWatch;
  readonly #ring = new Ring(LIMITS);
  readonly #timeline = new Timeline();
  readonly #samples = new Samples();
  readonly #lines: LineLog;
  readonly #readers = new Set<Reader>();
  readonly #sieve = new Sieve();
  /** The same log, heard. */
  readonly log: Log;
  readonly #recorder: Recorder | null;
  readonly #stately: StatelySink | null;
  readonly #sampler: Sampler;
  readonly #stops: (() => void)[] = [];
  #inspected: Inspected | null = null;
  #seq = 0;
  #told = 0;
  #wantsRequests = false;
  #showing: NodeJS.Immediate | undefined;
  #problems = 0;

  constructor(options: InspectorOptions) {
    this.#options = options;
    this.#lines = new LineLog(options.redact);
    const { recordTo, statelyTo, log, redact } = options;
    this.log = hearing(log, (level, message, fields) => this.#hearLog(level, message, fields));
    this.#recorder = recordTo && new Recorder({ ...recordTo, log }, this.header());
    this.#stately = statelyTo === null ? null : new StatelySink({ path: statelyTo, redact, log });
    this.#watch = new ActorWatch({
      now: Date.now,
      tell: (seen) => {
        for (const each of seen) {
          if (each === null) this.#miss();
          else this.#note(each);
        }
        this.#tellNews();
      },
      onError: (error) => this.#tellProblem(error),
    });
    this.#sampler = new Sampler({
      now: Date.now,
      present: () => presentOf(this.#inspected?.view()),
      onSample: (sample) => this.#sampled(sample),
    });
  }

  /** To be given to the root of the actors. */
  readonly inspect = (event: InspectionEvent): void => {
    this.#watch.inspect(event);
    this.#stately?.inspect(event);
    this.#options.inspect?.(event);
  };

  /** A line of the model's log. */
  readonly hearLine = (line: string): void => {
    this.#lines.add(line);
    this.#tellNews();
  };

  begin(inspected: Inspected): void {
    const { bus } = inspected;
    this.#inspected = inspected;
    this.#sampler.start();
    this.#stops.push(
      () => this.#sampler.stop(),
      bus.on('lifecycle', ({ state, reason }) => {
        this.#timeline.enter(state, this.#options.redact(reason), Date.now());
        // The machine that says so is still at work.
        if (this.#recorder !== null) this.#showing ??= setImmediate(() => this.#recordNow());
      }),
      bus.on('report', ({ type }) => type === 'report.delivered' && this.#sampler.reported()),
      bus.on('request', (event) => {
        this.#sampler.hear(event);
        if (this.#wantsRequests && this.#sieve.lets(event)) this.#hearRequest(event);
      }),
    );
  }

  now(): Now {
    if (this.#inspected === null) throw new Error('The worker has not begun.');
    const { version, redact, now } = this.#options;
    const actors = this.#watch.actors();
    return nowOf({
      seq: this.#seq,
      version,
      startedAtMs: this.#startedAtMs,
      view: this.#inspected.view(),
      rows: this.#inspected.rows(ROWS),
      actors,
      timeline: this.#timeline.stays,
      modelLog: this.#lines.after(0).lines,
      redact,
      nowMs: now(),
    });
  }

  samples(): readonly Sample[] {
    return this.#samples.all;
  }

  get happened(): number {
    return this.#seq;
  }

  header(): RecordingHeader {
    const { version, backend } = this.#options;
    return headerOf({ version, backend, startedAtMs: this.#startedAtMs });
  }

  after(seq: number): readonly Kept[] {
    this.#watch.flush();
    return this.#ring.after(seq);
  }

  linesAfter(number: number): Lines {
    return this.#lines.after(number);
  }

  subscribe(reader: Reader): () => void {
    this.#readers.add(reader);
    this.#lookWhoLooks();
    return () => {
      this.#readers.delete(reader);
      this.#lookWhoLooks();
    };
  }

  /** Shows nothing more. What still happens is recorded all the same. */
  endReaders(): void {
    this.#watch.flush();
    for (const reader of [...this.#readers]) reader.onEnd();
    for (const stop of this.#stops.splice(0)) stop();
    this.#recordNow();
  }

  /** Resolves when what was recorded is on its way to the disk. */
  async close(): Promise<void> {
    this.#watch.flush();
    this.#tellProblems();
    await Promise.all([this.#recorder?.end('stopped'), this.#stately?.close()]);
  }

  #recordNow(): void {
    clearImmediate(this.#showing);
    this.#showing = undefined;
    if (this.#inspected !== null && this.#recorder?.isOver === false) this.#recorder.show(this.now());
  }

  #lookWhoLooks(): void {
    this.#wantsRequests = [...this.#readers].some(({ wantsRequests }) => wantsRequests);
    if (!this.#wantsRequests) this.#sieve.forget();
  }

  #hearRequest(event: RequestEvent): void {
    this.#watch.add({ ...this.#ofWorker(), kind: 'request', event: event.type, details: event });
  }

  #hearLog(level: string, message: string, fields: LogFields = {}): void {
    const event = typeof fields.event === 'string' ? fields.event : level;
    this.#watch.add({ ...this.#ofWorker(), kind: 'log', event, details: { level, message, ...fields } });
  }

  #ofWorker() {
    return { atMs: Date.now(), actor: 'worker', machine: '', nth: this.#told++ };
  }

  #note({ details, ...seen }: Seen): void {
    const copy = details === undefined ? {} : { details: this.#copyOf(details) };
    const happening: Happening = { seq: ++this.#seq, ...seen, ...copy };
    const kept = asKept(happening);
    this.#ring.add(kept);
    if (!kept.ofRequest) this.#recorder?.happened(kept.text);
  }

  /** Its number stays empty, so that whoever reads the others knows of it. */
  #miss(): void {
    this.#seq += 1;
    this.#recorder?.miss(1);
  }

  /** What can't be copied has happened all the same. */
  #copyOf(details: unknown): Json {
    const characters = this.#recorder === null ? CHARACTERS : RECORDED_CHARACTERS;
    try {
      return copyOf(details, { ...this.#options, characters });
    } catch (error) {
      this.#tellProblem(error);
      return { [CUT]: true };
    }
  }

  /** The first is told at once, and how many there were at the end. */
  #tellProblem(error: unknown): void {
    this.#problems += 1;
    if (this.#problems > 1) return;
    const message = `what happens is not shown as it should be: ${messageOf(error)}`;
    this.#options.log.warn(message, { event: 'inspect.problem', reason: messageOf(error) });
  }

  #tellProblems(): void {
    const count = this.#problems;
    if (count <= 1) return;
    const message = `what has happened was not shown as it should be, ${count} times`;
    this.#options.log.warn(message, { event: 'inspect.problem', count });
  }

  #tellNews(): void {
    for (const reader of this.#readers) reader.onNews();
  }

  #sampled(sample: Sample): void {
    const count = this.#sieve.nextSecond();
    // Told as a happening, since it is one to whoever reads them.
    if (count > 0)
      this.#watch.add({ ...this.#ofWorker(), kind: 'request', event: UNNOTED, details: { count } });
    this.#samples.add(sample);
    for (const reader of this.#readers) reader.onSample(sample);
  }
}

function presentOf(view: Now['worker'] | undefined) {
  return {
    load: view?.pendingWorkload ?? 0,
    queued: view?.requestsQueued ?? 0,
    inFlight: view?.requestsUnderWay ?? 0,
  };
}
