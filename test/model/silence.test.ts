import { expect, it } from 'vitest';
import { comfyui } from '../../backends/comfyui.js';
import { ooba } from '../../backends/ooba.js';
import { openai } from '../../backends/openai.js';
import { sdwebui } from '../../backends/sdwebui.js';
import { tgi } from '../../backends/tgi.js';
import { type Backend, configure, defineBackend, type RouteTimeouts } from '../../src/backend/index.js';
import { silenceAllowedBy } from '../../src/model/silence.js';

const MINUTE_MS = 60_000;

function proxyWith(...timeouts: RouteTimeouts[]): Backend {
  return defineBackend({
    name: 'x',
    maxPerf: 1,
    model: { url: 'http://127.0.0.1:9' },
    routes: {
      ...Object.fromEntries(timeouts.map((each, index) => [`/${index}`, { timeouts: each }])),
      '/here': { handle: () => 'ok' },
    },
  });
}

const SOON = { firstByte: '30s', betweenBytes: '10s' };

it.each<[string, Backend, minutes: number]>([
  ['openai', openai(), 10],
  ['tgi', tgi(), 10],
  ['ooba', ooba(), 10],
  ['comfyui', comfyui(), 30],
  ['sdwebui', sdwebui(), 30],
  ['what has short limits', proxyWith(SOON, SOON), 10],
  ['what is patient', proxyWith(SOON, { ...SOON, firstByte: '20m' }), 20],
  ['what is patient between two pieces', proxyWith({ ...SOON, betweenBytes: '40m' }), 40],
  ['what has no limit for a first byte', proxyWith(SOON, { betweenBytes: '1h' }), 30],
  ['what has no limits', proxyWith({}), 30],
  ['what has a limit by setting', configure(openai(), { firstByteTimeoutMs: 90 * MINUTE_MS }), 90],
  ['what has none by setting', configure(openai(), { firstByteTimeoutMs: Number.POSITIVE_INFINITY }), 30],
])('the model server of %s may be silent for as long as its routes wait', (_, backend, minutes) => {
  expect(silenceAllowedBy(backend.routes.values())).toBe(minutes * MINUTE_MS);
});

it.each([openai(), tgi(), ooba(), comfyui(), sdwebui()])(
  'no request to the model server of $name waits without an end',
  ({ routes }) => {
    for (const { timeouts } of routes.values()) {
      expect(Object.values(timeouts).every(Number.isFinite)).toBe(true);
    }
  },
);
