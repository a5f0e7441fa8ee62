import { expect, it } from 'vitest';
import { nearestTo } from '../../src/backend/index.js';

const NAMES = ['maxQueueTime', 'timeouts', 'handle', 'run'];

it.each<[field: string, meant: string | undefined]>([
  ['maxQueueTime', 'maxQueueTime'],
  ['maxqueuetime', 'maxQueueTime'],
  ['maxQueTime', 'maxQueueTime'],
  ['maxQueuingTimes', 'maxQueueTime'],
  ['timeout', 'timeouts'],
  ['haldne', 'handle'],
  ['runs', 'run'],
  ['ran', 'run'],
  ['urn', undefined],
  ['handshake', undefined],
  ['x', undefined],
  ['', undefined],
  ['__proto__', undefined],
])('"%s" is meant to be %s', (field, meant) => expect(nearestTo(field, NAMES)).toBe(meant));

it('where there are no names, none is meant', () => expect(nearestTo('run', [])).toBeUndefined());
