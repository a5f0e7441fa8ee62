import { expect, it } from 'vitest';
import { Cancellation } from '../src/cancellation.js';

const REASON = new Error('enough');

it('says once that something is given up, and why', () => {
  const cancellation = new Cancellation();
  const heard: string[] = [];
  const forgotten = () => heard.push('forgotten');
  cancellation.addEventListener('abort', () => heard.push('one'));
  cancellation.addEventListener('abort', forgotten);
  cancellation.addEventListener('abort', () => heard.push('two'));
  cancellation.removeEventListener('abort', forgotten);
  expect([cancellation.aborted, cancellation.reason]).toEqual([false, undefined]);
  expect(() => cancellation.throwIfAborted()).not.toThrow();
  cancellation.abort(REASON);
  cancellation.abort(new Error('again'));
  expect(heard).toEqual(['one', 'two']);
  expect([cancellation.aborted, cancellation.reason]).toEqual([true, REASON]);
  expect(() => cancellation.throwIfAborted()).toThrow(REASON);
});

it.each(['before', 'after'])('is a native signal to whoever asks %s it was given up', (when) => {
  const cancellation = new Cancellation();
  const early = when === 'before' ? cancellation.native : undefined;
  cancellation.abort(REASON);
  const signal = cancellation.native;
  expect([signal.aborted, signal.reason]).toEqual([true, REASON]);
  expect(early ?? signal).toBe(signal);
});

it('may be listened to no more while it is being told', () => {
  const cancellation = new Cancellation();
  const heard: string[] = [];
  cancellation.addEventListener('abort', () => {
    heard.push('one');
    cancellation.removeEventListener('abort', other);
  });
  const other = () => heard.push('other');
  cancellation.addEventListener('abort', other);
  cancellation.abort(REASON);
  expect(heard).toEqual(['one', 'other']);
});
