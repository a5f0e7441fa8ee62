import { expect, it } from 'vitest';
import { Bus } from '../../src/bus.js';
import { started } from '../../src/testing/request-events.js';

const EVENT = started({ workload: 1 });

it('a listener that throws stops neither the others nor the one who speaks', () => {
  const errors: unknown[] = [];
  const bus = new Bus((error, topic) => errors.push([topic, error]));
  const heard: string[] = [];
  const broken = new Error('broken');
  bus.on('request', () => heard.push('first'));
  bus.on('request', () => {
    throw broken;
  });
  bus.on('request', ({ type }) => heard.push(type));
  bus.on('report', () => heard.push('not this one'));
  bus.emit('request', EVENT);
  expect(heard).toEqual(['first', 'request.started']);
  expect(errors).toEqual([['request', broken]]);
});

it('a listener hears nothing once it has gone, even when it goes while it hears', () => {
  const bus = new Bus(() => {});
  const heard: string[] = [];
  const off = bus.on('request', () => {
    heard.push('once');
    off();
  });
  bus.on('request', () => heard.push('always'));
  bus.emit('request', EVENT);
  bus.emit('request', EVENT);
  off();
  expect(heard).toEqual(['once', 'always', 'always']);
});

it('one listener that listens twice is heard twice, and may stop once', () => {
  const bus = new Bus(() => {});
  const heard: string[] = [];
  const listener = () => void heard.push('heard');
  const off = bus.on('request', listener);
  bus.on('request', listener);
  bus.emit('request', EVENT);
  off();
  bus.emit('request', EVENT);
  expect(heard.length).toBe(3);
});
