export { LocalAutoscaler, type LocalAutoscalerEvents, type LocalAutoscalerOptions } from './autoscaler.js';
export type { CompletionRecord, WorkerCompletions } from './completions.js';
export type { Dialect, MessageKind, StatusMessage } from './decode.js';
export type {
  CallFault,
  CallFaultFunction,
  Fault,
  FaultFunction,
  IncomingCall,
  IncomingReport,
} from './faults.js';
export type { CompletionCounts, CompletionStatus, CompletionsMessage, FinishedRequest } from './finished.js';
export type { RefusedMessage, StateChange } from './intake.js';
export { ListenError } from './listen-error.js';
export type { MessageRecord } from './messages.js';
export type { Place, ReportedState } from './place.js';
export type { RequestView } from './requests-view.js';
export type { RequestCounts, RequestState } from './routed-requests.js';
export type { RouteAnswer, RoutedAnswer, WaitingAnswer } from './routing.js';
export type { EndpointView, WorkersView, WorkerView } from './view.js';
export type { LoadedMessage, UpdateMessage, WorkerSums } from './worker-record.js';
export type { WorkerState } from './worker-state.js';
