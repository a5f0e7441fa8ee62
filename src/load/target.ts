import type { Outcome, Sample } from './sample.js';

export interface Payload {
  /** As JSON; null: there is none, and it is a GET. */
  readonly text: string | null;
  /** The same as a value. */
  readonly value: unknown;
  /** The work that it is, in the units of the endpoint. */
  readonly cost: number;
}

/** The payload of the request with this number, counted from 0. */
export type Payloads = (index: number) => Payload | Promise<Payload>;

/** Whom the load is put on. */
export interface Target {
  /** Sends one request, reads its answer to the end, and notes in the sample what is seen meanwhile. Never rejects. */
  send(payload: Payload, sample: Sample): Promise<Outcome>;
  /** Gives up all requests that are under way. */
  cut(): void;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** In ms after the start of the run. */
export type Clock = () => number;
