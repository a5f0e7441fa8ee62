export { LocalAutoscaler } from './autoscaler.js';
export type { LocalAutoscalerEvents, LocalAutoscalerOptions } from './autoscaler-options.js';
export type { CompletionRecord, WorkerCompletions } from './completions.js';
export type { DecisionRecord } from './decision-log.js';
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
export type { PhaseChange } from './fleet-member.js';
export type { RefusedMessage, StateChange } from './intake.js';
export type { Launcher } from './launcher.js';
export { ListenError } from './listen-error.js';
export type { MessageRecord } from './messages.js';
export type { Place, ReportedState } from './place.js';
export type { RequestView } from './requests-view.js';
export type { RequestCounts, RequestState } from './routed-requests.js';
export type { RouteAnswer, RoutedAnswer, WaitingAnswer } from './routing.js';
export type { EndpointSettings, Patience, ScalingOptions } from './scaling-options.js';
export type { DecisionsView, ScaledWorkerView, ScalingView } from './scaling-view.js';
export type { EndpointView, WorkersView, WorkerView } from './view.js';
export type { LoadedMessage, UpdateMessage, WorkerSums } from './worker-record.js';
export type { WorkerState } from './worker-state.js';
