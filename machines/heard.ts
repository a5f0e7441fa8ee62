/**
 * What has been heard of the model and of the autoscaler's public key. It outlives a load: one that is begun anew
 * does not wait for what was said before, since nobody says it twice.
 */
export interface Heard {
  /** The public key is there. */
  readonly keyHeld: boolean;
  /** Why the key is late, as a sentence; empty: it is not. */
  readonly keyLate: string;
  /** The model's log, or somebody who watches it, has said that the model has loaded. */
  readonly loaded: boolean;
  /** The speed that was told from outside, in units of work per second; null: none was. */
  readonly toldPerf: number | null;
  /** The failure with which the log ended when it was first read, or empty. It may be of an earlier run. */
  readonly oldFailure: string;
}

export const NOTHING_HEARD: Heard = {
  keyHeld: false,
  keyLate: '',
  loaded: false,
  toldPerf: null,
  oldFailure: '',
};
