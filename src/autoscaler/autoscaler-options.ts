import type { CompletionRecord } from './completions.js';
import type { DecisionRecord } from './decision-log.js';
import type { CallFaultFunction, FaultFunction } from './faults.js';
import type { PhaseChange } from './fleet-member.js';
import type { RefusedMessage, StateChange } from './intake.js';
import type { MessageRecord } from './messages.js';
import type { ScalingOptions } from './scaling-options.js';

export interface LocalAutoscalerOptions {
  /** Address to bind. Default `127.0.0.1`: there is no authentication, so keep it on loopback. */
  readonly host?: string;
  /** Default 8080. 0 takes a free port at the first start and keeps it for later ones. */
  readonly port?: number;
  /** How often the workers report, in milliseconds; three of them without a message is silence. Default 10 000. */
  readonly reportIntervalMs?: number;
  /** Name of the endpoint that clients ask for. Default `my-endpoint`. */
  readonly endpoint?: string;
  /** What clients authorise with, not empty. Default: one made at random, see `apiKey`. */
  readonly apiKey?: string;
  /** How long a call of an OpenAI client waits for a worker before it is told 503, in milliseconds. Default 60 000. */
  readonly openaiWaitMs?: number;
  /**
   * The private RSA key that routes are signed with, in PEM, so that workers which know it need not learn another after a restart.
   * Default: one made when it is first wanted, which takes a busy processor a second.
   */
  readonly privateKey?: string | undefined;
  /** Origins whose pages may ask for routes, such as `https://example.com`; `*`: any. Default: none. */
  readonly corsOrigins?: readonly string[] | undefined;
  /** Asked for each message of a worker how to answer it, so that workers can be tested against failures. */
  readonly fault?: FaultFunction | undefined;
  /** The same for each call of a client. */
  readonly callFault?: CallFaultFunction | undefined;
  /** Start and stop workers, as many as the load wants. Default: it starts none, and takes those that report. */
  readonly scaling?: ScalingOptions | undefined;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

export interface LocalAutoscalerEvents {
  /** A message whose outcome is known (`acknowledged`), after it was counted. */
  message: [message: MessageRecord];
  /** A worker's state changed with a message. */
  state: [change: StateChange];
  /** A finished request was told, and counted. */
  completion: [completion: CompletionRecord];
  /** A body that was no message was answered with 400. */
  refused: [refused: RefusedMessage];
  /** The policy has decided something, or a worker that it started has failed. */
  decision: [decision: DecisionRecord];
  /** A worker that it started, or stops, has gone on. */
  phase: [change: PhaseChange];
  /** `stop()` is done. */
  stopped: [];
}
