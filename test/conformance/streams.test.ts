import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { serveModel } from '../support/model-server.js';
import { ROUTES, startRig } from './rig.js';

const PIECES = ['{"token": "a"}\n', '{"token": "b"}\n{"tok', 'en": "c"}\n'];

describe('a stream of the model comes as it is made, with its own type and its own bytes', () => {
  it.each([
    'text/event-stream',
    'text/event-stream; charset=utf-8',
    'application/x-ndjson',
    'application/jsonl',
    'application/json',
    undefined,
  ])('%s', async (type) => {
    const answers: ServerResponse[] = [];
    const { url } = await serveModel((request, response) => {
      if (request.url === '/health') response.end('{}');
      else {
        response.writeHead(200, type === undefined ? {} : { 'content-type': type }).flushHeaders();
        answers.push(response);
      }
    });
    const rig = await startRig({ backend: { model: { url, health: '/health' }, routes: ROUTES } });
    const { response: answer } = rig.open('/v1/completions', {});
    const response = (await answer).setEncoding('utf8');
    expect([response.statusCode, response.headers['content-type']]).toEqual([200, type]);
    for (const piece of PIECES) {
      answers[0]?.write(piece);
      const [received] = await new Promise<[string]>((resolve) =>
        response.once('data', (...data: [string]) => resolve(data)),
      );
      expect(received).toBe(piece);
    }
    answers[0]?.end();
    await new Promise((resolve) => response.resume().once('end', resolve));
    expect(response.complete).toBe(true);
  });
});
