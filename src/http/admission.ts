/** What the gate knows of the worker: whether requests are accepted, and if not, why. */
export interface Admission {
  readonly accepting: boolean;
  readonly draining: boolean;
  /** A sentence for the client. */
  readonly reason: string;
}
