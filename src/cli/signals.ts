/** Under npm one key press arrives twice: from the terminal, and from npm. */
const SAME_KEY_PRESS_MS = 500;

const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const;

export type StopSignal = keyof typeof SIGNAL_NUMBERS;

export interface SignalHandlers {
  /** The first signal: stop in good order. */
  readonly stop: (signal: StopSignal) => void;
  /** A later one: stop at once, with this exit code. */
  readonly stopAtOnce: (exitCode: number) => void;
  /** Monotonic, in ms. */
  readonly now: () => number;
}

/** Listens for Ctrl-C and SIGTERM until the returned function is called. */
export function onSignals({ stop, stopAtOnce, now }: SignalHandlers): () => void {
  let firstAtMs: number | undefined;
  const handle = (signal: StopSignal) => {
    if (firstAtMs === undefined) {
      firstAtMs = now();
      stop(signal);
    } else if (now() - firstAtMs >= SAME_KEY_PRESS_MS) {
      stopAtOnce(128 + SIGNAL_NUMBERS[signal]);
    }
  };
  const signals = Object.keys(SIGNAL_NUMBERS) as StopSignal[];
  for (const signal of signals) process.on(signal, handle);
  return () => {
    for (const signal of signals) process.off(signal, handle);
  };
}
