import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { onSignals } from '../../src/cli/signals.js';

it.each<[name: string, signals: [signal: string, atMs: number][], heard: string[]]>([
  ['one stops in good order', [['SIGTERM', 0]], ['stop SIGTERM']],
  [
    'a repeat within 500 ms is the same key press',
    [
      ['SIGINT', 0],
      ['SIGINT', 499],
    ],
    ['stop SIGINT'],
  ],
  [
    'a second Ctrl-C stops at once',
    [
      ['SIGINT', 0],
      ['SIGINT', 500],
    ],
    ['stop SIGINT', 'exit 130'],
  ],
  [
    'a second SIGTERM stops at once',
    [
      ['SIGINT', 0],
      ['SIGTERM', 900],
    ],
    ['stop SIGINT', 'exit 143'],
  ],
  [
    'a repeat does not put off the next',
    [
      ['SIGINT', 0],
      ['SIGINT', 400],
      ['SIGINT', 600],
    ],
    ['stop SIGINT', 'exit 130'],
  ],
  [
    'a terminal that is closed stops in good order, however often it says so',
    [
      ['SIGHUP', 0],
      ['SIGHUP', 900],
    ],
    ['stop SIGHUP'],
  ],
  [
    'a SIGTERM after the terminal was closed stops at once',
    [
      ['SIGHUP', 0],
      ['SIGTERM', 900],
    ],
    ['stop SIGHUP', 'exit 143'],
  ],
  ['SIGQUIT stops at once', [['SIGQUIT', 0]], ['exit 131']],
])('%s', (_name, signals, heard) => {
  const source = new EventEmitter();
  const told: string[] = [];
  let nowMs = 0;
  onSignals({
    source,
    now: () => nowMs,
    stop: (signal) => told.push(`stop ${signal}`),
    stopAtOnce: (code) => told.push(`exit ${code}`),
  });
  for (const [signal, atMs] of signals) {
    nowMs = atMs;
    source.emit(signal);
  }
  expect(told).toEqual(heard);
});
