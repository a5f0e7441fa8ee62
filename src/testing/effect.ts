import { fromPromise } from 'xstate';

/** One time that a machine ran an effect. It ends when the test says so, be the machine still there or not. */
export interface Call<Output, Input> {
  readonly input: Input;
  readonly signal: AbortSignal;
  readonly resolve: (output: Output) => void;
  readonly reject: (error: unknown) => void;
}

/** An effect whose every run is ended by the test. */
export class Effect<Output, Input = undefined> {
  readonly calls: Call<Output, Input>[] = [];

  readonly logic = fromPromise<Output, Input>(
    ({ input, signal }) =>
      new Promise<Output>((resolve, reject) => {
        this.calls.push({ input, signal, resolve, reject });
        this.#onCall(input);
      }),
  );

  readonly #onCall: (input: Input) => void;

  constructor(onCall: (input: Input) => void = () => {}) {
    this.#onCall = onCall;
  }

  get last(): Call<Output, Input> {
    const call = this.calls.at(-1);
    if (call === undefined) throw new Error('The effect has not run yet.');
    return call;
  }
}
