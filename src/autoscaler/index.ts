export { LocalAutoscaler, type LocalAutoscalerEvents, type LocalAutoscalerOptions } from './autoscaler.js';
export type { Dialect, MessageKind, StatusMessage } from './decode.js';
export type { Fault, FaultFunction, IncomingReport } from './faults.js';
export type { RefusedMessage, StateChange } from './intake.js';
export { ListenError } from './listen-error.js';
export type { MessageRecord } from './messages.js';
export type { WorkersView, WorkerView } from './view.js';
export type { LoadedMessage, UpdateMessage, WorkerSums } from './worker-record.js';
export type { WorkerState } from './worker-state.js';
