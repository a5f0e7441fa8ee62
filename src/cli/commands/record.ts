import { setTimeout as delay } from 'node:timers/promises';
import { request as send } from 'undici';
import { size, url as urlType } from '../../config/types.js';
import { messageOf } from '../../errors.js';
import type { Happening, History, Now, RecordingEnd, ToldNow } from '../../inspect/contract.js';
import { serverSentEvents } from '../../inspect/event-stream.js';
import { Recorder } from '../../inspect/recorder.js';
import { withTold } from '../../inspect/timeline.js';
import { COMMAND_LINE } from '../command-line.js';
import { EXIT, UserError } from '../exit.js';
import type { Io } from '../io.js';
import { logOf } from '../log.js';
import { parseOption } from '../options.js';
import { untilAskedToStop } from '../signals.js';

export interface RecordOptions {
  readonly output: string;
  readonly maxBytes: string;
  readonly requests?: true;
}

/** How often a worker that does not answer is asked again before it counts as gone. */
const ATTEMPTS = 5;
const PAUSE_MS = 1_000;

/** A worker by the address of its internal port. */
interface Asked {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Aborted when the user has seen enough. */
  readonly signal: AbortSignal;
}

/** Records a running worker until it has stopped, the file is full, or the user has seen enough. */
export async function record(address: string, options: RecordOptions, io: Io): Promise<number> {
  const url = parseOption('the address', address, urlType);
  const maxBytes = parseOption('--max-bytes', options.maxBytes, size);
  const token = io.env.TSWORKER_INTERNAL_TOKEN ?? '';
  const enough = new AbortController();
  const headers = token === '' ? {} : { authorization: `Bearer ${token}` };
  const asked: Asked = { url, headers, signal: enough.signal };
  const { header, happenings } = await historyOf(asked);
  void untilAskedToStop(io.env).then(() => enough.abort());
  const log = await logOf('info', io);
  const recorder = new Recorder({ path: options.output, namedBy: '--output', maxBytes, log }, header);
  log.info(`records ${header.backend} into ${options.output}; Ctrl-C ends it`, { event: 'recording.began' });
  const recording = new FollowedRun(recorder, header.startedAtMs, options.requests === true);
  recording.take(happenings);
  const ended = await follow(recording, asked);
  await recorder.end(ended);
  if (recorder.problem !== null) throw unwritable(options.output, recorder.problem);
  log.info(
    `${recorder.written} events are recorded (${REASONS[ended]}); see them with: ${COMMAND_LINE} replay ${options.output}`,
    { event: 'recording.ended', ended, written: recorder.written },
  );
  return EXIT.ok.code;
}

function unwritable(file: string, problem: string): UserError {
  return new UserError(
    `the recording can not be written to ${file}: ${problem}; name a file that can be with --output, on a disk with room.`,
    EXIT.failed.code,
  );
}

const REASONS: Readonly<Record<RecordingEnd['ended'], string>> = {
  stopped: 'to its end',
  full: 'the file is full',
  lost: 'the worker does not answer any more',
  interrupted: 'the worker goes on',
};

/** What is written of a worker that is followed. */
class FollowedRun {
  /** The number of the last happening. */
  seq = 0;
  hasStopped = false;
  /** Another worker answers at the address. */
  isAnother = false;
  readonly wantsRequests: boolean;
  readonly #recorder: Recorder;
  readonly #startedAtMs: number;
  #now: Now | null = null;
  /** How many numbers of happenings, and of those of the worker itself, it was told of none. */
  #untold = 0;
  #untoldOfWorker = 0;
  #nthOfWorker = -1;
  #missed = 0;

  constructor(recorder: Recorder, startedAtMs: number, wantsRequests: boolean) {
    this.#recorder = recorder;
    this.#startedAtMs = startedAtMs;
    this.wantsRequests = wantsRequests;
  }

  get isOver(): boolean {
    return this.hasStopped || this.isAnother || this.#recorder.isOver;
  }

  take(happenings: readonly Happening[]): void {
    for (const happening of happenings) {
      this.#count(happening);
      this.seq = happening.seq;
      if (this.wantsRequests || happening.kind !== 'request')
        this.#recorder.happened(JSON.stringify(happening));
    }
  }

  /**
   * Requests, which may have been left out on purpose, and the log happen to the worker itself: as often as it is told
   * of one of these it is known how many of what is untold happened to the machines.
   */
  #count({ seq, actor, nth }: Happening): void {
    this.#untold += seq - this.seq - 1;
    if (actor !== 'worker') return;
    this.#untoldOfWorker += nth - this.#nthOfWorker - 1;
    this.#nthOfWorker = nth;
    const missed = this.#untold - this.#untoldOfWorker;
    this.#recorder.miss(missed - this.#missed);
    this.#missed = missed;
  }

  /** It is told often, and written when the worker has entered a state. */
  see(told: ToldNow): void {
    if (told.startedAtMs !== this.#startedAtMs) {
      this.isAnother = true;
      return;
    }
    const now = withTold(this.#now, told);
    const { state } = now.worker;
    if (state !== this.#now?.worker.state) this.#recorder.show(now);
    this.#now = now;
    this.hasStopped = state === 'stopped';
  }
}

async function follow(run: FollowedRun, asked: Asked): Promise<RecordingEnd['ended']> {
  for (let failures = 0; failures < ATTEMPTS && !run.isOver && !asked.signal.aborted; ) {
    try {
      await readStream(run, asked);
      failures = 0;
    } catch {
      // It may answer again: it is asked from where it broke off.
      failures += 1;
    }
    if (!run.isOver) await delay(PAUSE_MS, undefined, { signal: asked.signal }).catch(() => {});
  }
  if (run.hasStopped) return 'stopped';
  if (run.isOver) return run.isAnother ? 'lost' : 'full';
  return asked.signal.aborted ? 'interrupted' : 'lost';
}

async function readStream(run: FollowedRun, asked: Asked): Promise<void> {
  const body = await get(asked, `/inspect/events?after=${run.seq}&requests=${run.wantsRequests}`);
  for await (const { event, data } of serverSentEvents(body)) {
    if (event === 'happened') run.take(JSON.parse(data) as Happening[]);
    if (event === 'now') run.see(JSON.parse(data) as ToldNow);
    // The last state is told after the last of what led to it.
    if (run.isOver) return;
  }
}

async function historyOf(asked: Asked): Promise<History> {
  try {
    const body = await get(asked, '/inspect/recording');
    return (await body.json()) as History;
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      `there is no worker at ${asked.url}: ${messageOf(error)}; it takes the address of its internal port.`,
      EXIT.failed.code,
    );
  }
}

async function get({ url, headers, signal }: Asked, path: string) {
  // The stream is silent for as long as nothing happens, but for a comment now and then.
  const { statusCode, body } = await send(`${url}${path}`, { headers, signal, bodyTimeout: 60_000 });
  if (statusCode === 200) return body;
  await body.dump();
  if (statusCode === 401) {
    throw new UserError(
      `${url} is shown to those alone who send its token: set TSWORKER_INTERNAL_TOKEN.`,
      EXIT.failed.code,
    );
  }
  throw new Error(`it answered ${statusCode}`);
}
