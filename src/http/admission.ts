/** What the gate knows of the worker: whether requests are accepted, and if not, why. */
export interface Admission {
  readonly accepting: boolean;
  readonly draining: boolean;
  /** A sentence for the client, made when it is asked for: each request asks whether it is accepted, few hear why not. */
  readonly reason: () => string;
}
