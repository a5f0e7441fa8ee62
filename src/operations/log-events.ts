import type { BenchmarkToParent } from '../../machines/benchmark.js';
import type { CompletionsEmitted } from '../../machines/completions.js';
import type { LifecycleEmitted } from '../../machines/life.js';
import type { PublicKeyEmitted } from '../../machines/public-key.js';
import type { ReporterEmitted } from '../../machines/reports.js';
import type { SupervisorEmitted } from '../../machines/supervision.js';
import type { ModelEvent } from '../bus.js';

/** What the machines say, each of which is a line in the log. */
type Said =
  | BenchmarkToParent
  | CompletionsEmitted
  | LifecycleEmitted
  | ModelEvent
  | PublicKeyEmitted
  | ReporterEmitted
  | SupervisorEmitted;

/** What the machines say, by name: what it means to an operator, and what to do where there is something to do. */
const SAID: Readonly<Record<Said['type'], string>> = {
  'state.entered': 'The worker has entered a state; `reason` says why.',
  waiting:
    'What the worker waits for while the model loads: the health route by its address, and each new reason why it is not well.',
  'report.delivered': 'A report was acknowledged. Those that tell of work alone are at level debug.',
  'report.failed':
    'One attempt to report failed. It is tried again; `outage.began` tells when no address takes any.',
  'outage.began':
    'No address of the autoscaler takes reports. Nothing is lost; see whether `REPORT_ADDR` is right.',
  'outage.ended': 'Reports are taken again.',
  'address.changed': 'Reports go to another address of `REPORT_ADDR` now.',
  'completions.delivered': 'The autoscaler was told which requests have finished.',
  'completions.failed': 'One attempt to tell it failed. It is tried again.',
  'completions.outage.began': 'No address takes finished requests. They are kept and tried again.',
  'completions.outage.ended': 'Finished requests are taken again.',
  'completions.dropped':
    'Too many finished requests wait to be told, so the oldest were given up. The autoscaler has been away for long.',
  'completions.refused': 'The autoscaler does not take what is told of one request, which was given up.',
  'key.held': "The autoscaler's public key is there, or another than before, so signatures can be checked.",
  'key.late':
    'There is no public key yet, and signed requests are refused. See whether `REPORT_ADDR` is right.',
  'key.fetch.failed': 'One attempt to fetch the public key failed. It is tried again for ever.',
  'benchmark.reused': 'The speed of this model is known from an earlier benchmark.',
  'benchmark.waits':
    'The model does not take requests yet, so it is not measured yet. Told again when the reason changes, else ever more rarely.',
  'benchmark.began': 'The model is being measured.',
  'benchmark.failed': 'A measurement came to nothing; it is made again. See the log of the model.',
  'benchmark.saved': 'The model was measured, and the result is kept for the next start.',
  'benchmark.unsaved':
    'The model was measured, but the result could not be kept. See whether `TSWORKER_BENCHMARK_FILE` can be written.',
  'health.unwell':
    'A load has failed, and the health route is not well yet, or for another reason than before.',
  'health.strike': 'A look at the health of the model failed. Several in a row are a failure.',
  'health.busy': 'The health route failed, but answers flow: the model is busy, not broken.',
  'model.stalled':
    'The model has sent nothing for too long although requests wait for it. It counts as failed.',
  'model.orphaned': 'An earlier worker has left its model server running, which is ended now.',
  'model.started': 'The model server is started. `restarts` says how many times before.',
  'model.died': 'The model server has ended by itself; `reason` and its last lines say why.',
  'model.backedOff': 'The model server is started again after a pause.',
  'model.killed': 'The model server did not end when it was asked to, and is killed.',
  'model.unsignalled': 'The model server could not be sent a signal. See who runs it.',
  'model.stuck':
    'The model server has not ended, though it was killed. It is waited for, and started again when it is gone; if that lasts, restart the instance.',
  'model.gaveUp':
    'The model server died too often in a row and is not started again. See its log, mend it, and restart the worker.',
};

/** What else is told, by who tells it. */
const TOLD = {
  listening: 'The worker listens; the ports are in the line.',
  'request.refused':
    'A client was told an error: `code` is one of those below. A flood is counted and summed up.',
  'request.unsigned':
    'An unsigned request was served, as the legacy dialect allows. `TSWORKER_REQUIRE_SIGNATURE=true` refuses them.',
  'client.stuck':
    'A client took nothing of its answer for `TSWORKER_CLIENT_TIMEOUT` and was cut; its request counts as cancelled. A flood is counted and summed up.',
  'clients.crowded':
    'Clients have as many connections as the file descriptors of the worker allow, and more are closed. A flood is counted and summed up. Raise the limit (`ulimit -n`).',
  'workload.unusable':
    'The workload function of a route gave no usable number, so the default is counted. Mend the backend.',
  'requests.cut':
    'Requests were cut at the deadline of draining. A longer `TSWORKER_DRAIN_TIMEOUT` spares them.',
  'left.unreported': 'The worker ends with work of which the autoscaler does not know.',
  'left.unfinished': 'The worker ends with finished requests of which the autoscaler does not know.',
  'left.untold': 'The worker ends, and the autoscaler does not know in which state it was.',
  'session.callback.failed': 'The model server could not be told that a session has ended.',
  'update.asked': 'The autoscaler asks for new code: the update file was touched, and the worker drains.',
  'update.withdrawn': 'The update was withdrawn, and the worker goes on.',
  'model.ending': 'The model server that the worker runs is being ended, since the worker stops.',
  'model.log.loaded': "A line of the model's log that says that it has loaded, be it old or new.",
  'model.log.failed':
    "A line of the model's log that says that it has failed. A new one counts while the model loads, if nothing takes it back; one from before the worker began fails nothing.",
  'model.log.info': "A line of the model's log that is passed on.",
  'model.log.problem': "The model's log can not be read. See `MODEL_LOG`.",
  'benchmark.round': 'One round of the benchmark.',
  'benchmark.unreadable': 'The saved benchmarks can not be used; the model is measured again.',
  'supervisor.problem':
    'Something about the process of the model server could not be done; the line says what.',
  'supervisor.longLine':
    'The model server says lines that are too long; what they have beyond the limit is dropped.',
  'journal.unreadable': 'The journal of an earlier life can not be read: the counters begin anew.',
  'journal.corrupt':
    'The journal of an earlier life is damaged. The counters go on from what stands before the damage, or begin anew where nothing does; it was put aside where that could be done.',
  'journal.died':
    'The worker before this one ended with requests in it. Their work counts as failed, and the autoscaler is told of them.',
  'journal.written': 'The journal is written again.',
  'journal.unwritable':
    'The journal can not be written: a crash would lose what came since, and tell again what the autoscaler has acknowledged since. See the disk.',
  'fleet.about': 'What a fleet of `tsworker dev` is for.',
  'fleet.decision': 'The local autoscaler starts, stops, replaces or updates a worker; `reason` says why.',
  'fleet.modelKilled':
    'A worker of the local fleet was killed, and the model server that it had left was killed after it.',
  'fleet.phase': 'A worker of the local fleet has gone from one state to another.',
  'fleet.stopping': '`tsworker dev` ends: its workers finish what they have.',
  'inspect.problem':
    'The page that shows the worker misses something; the work is not touched. Please report it.',
  'recording.problem': 'The recording of `TSWORKER_RECORD` has ended, or has a gap; the line says why.',
  'recording.began': '`tsworker record` follows a worker.',
  'recording.ended': '`tsworker record` has ended; `ended` says why.',
  'tls.renewed': 'The certificate was renewed, and new connections get the new one.',
  'tls.unusable': 'The renewed certificate can not be used; the old one stays. See the files.',
  'beacon.lit': 'The worker could not start, and stays to tell the autoscaler why.',
  'beacon.heard': 'The autoscaler knows why the worker could not start.',
  uncaught: 'An error that nobody caught. The worker drains and ends with code 1: please report it.',
  noRoutes: '`tsworker dev` runs a worker that tells no address, so that its autoscaler sends nobody to it.',
  'port.moved': '`tsworker dev` found a port taken and listens on another.',
  try: '`tsworker dev` shows a command to try.',
  'try.key': '`tsworker dev` shows where the key of the local autoscaler is.',
  'worker.state': 'The local autoscaler sees a worker in another state.',
} as const satisfies Readonly<Record<string, string>>;

/** Every value of the field `event` in the log, with its meaning. */
export const LOG_EVENTS: Readonly<Record<string, string>> = { ...SAID, ...TOLD };
